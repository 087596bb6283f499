// SPDX-License-Identifier: Apache-2.0
//
// Filters as the kernel runs them: what bpf/filter.h is compiled to, behind its verifier.
#include "filter.h"
#include "filter/compile.hpp"
#include "filter/evaluate.hpp"
#include "support/filter_runner.hpp"
#include "support/random_filters.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstring>
#include <random>

namespace {

constexpr std::size_t filters = 200;
constexpr std::size_t subjects = 2000;

ctflow_filter_program compile(const ctflow::filter& f) {
    ctflow::error_code ec;
    ctflow::diagnostics diag;
    const auto p = ctflow::filtering::compile(f, ec, diag);
    BOOST_REQUIRE(!ec);
    return p;
}

// As the same lines judge it here.
bool is_judged_alike(const ctflow_filter_program& p, const ctflow_filter_subject& s,
                     const ctflow::test::judgement& kernel) {
    ctflow_filter_outlook outlook{};
    const bool accepted = filter_judge(&p, &s, &outlook) != 0;
    return accepted == kernel.accepted && outlook.changes == kernel.outlook.changes &&
           outlook.age == kernel.outlook.age;
}

} // namespace

BOOST_AUTO_TEST_SUITE(filter)

BOOST_AUTO_TEST_CASE(the_kernel_says_what_the_filter_says) {
    ctflow::test::filter_runner runner;
    BOOST_TEST_MESSAGE("the verifier " << runner.verification());
    ctflow::test::random_filters random(20240607);
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < filters; ++i) {
        const auto f = random.make();
        const auto p = compile(f);
        const auto asked = random.subjects(subjects);
        const auto verdicts = runner.run(p, asked);
        BOOST_REQUIRE(verdicts.size() == subjects);
        for (std::size_t n = 0; n < subjects; ++n) {
            const bool expected = ctflow::filtering::evaluate(f, asked[n]);
            BOOST_REQUIRE_MESSAGE(verdicts[n].accepted == expected, f);
            BOOST_REQUIRE_MESSAGE(is_judged_alike(p, asked[n], verdicts[n]), f);
            accepted += expected ? 1 : 0;
        }
    }
    BOOST_TEST_MESSAGE(filters * subjects << " verdicts agree, " << accepted << " accept");
    BOOST_TEST(accepted > filters * subjects / 4);
    BOOST_TEST(accepted < filters * subjects * 3 / 4);
}

BOOST_AUTO_TEST_CASE(what_is_in_the_table_does_not_matter_to_it) {
    ctflow::test::filter_runner runner;
    ctflow::test::random_filters random(7);
    std::mt19937_64 noise(8);
    const auto asked = random.subjects(64);
    for (int i = 0; i < 200; ++i) {
        auto p = compile(random.make());
        unsigned char bytes[sizeof(p)];
        std::memcpy(bytes, &p, sizeof(p));
        const auto faults = i % 4 == 0 ? sizeof(p) : noise() % 64;
        for (std::size_t n = 0; n < faults; ++n) {
            bytes[noise() % sizeof(p)] = static_cast<unsigned char>(noise());
        }
        std::memcpy(&p, bytes, sizeof(p));
        const auto verdicts = runner.run(p, asked);
        for (std::size_t n = 0; n < asked.size(); ++n) {
            BOOST_REQUIRE(is_judged_alike(p, asked[n], verdicts[n]));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
