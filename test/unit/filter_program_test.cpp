// SPDX-License-Identifier: Apache-2.0
//
// The very lines that the BPF programs are compiled from, against the filters themselves.
#include "filter.h"
#include "filter/compile.hpp"
#include "filter/evaluate.hpp"
#include "support/random_filters.hpp"
#include "support/sanitizers.hpp"

#include <ctflow/filter.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace {

using ctflow::filter;

ctflow_filter_program compile(const filter& f) {
    ctflow::error_code ec;
    ctflow::diagnostics diag;
    const auto p = ctflow::filtering::compile(f, ec, diag);
    BOOST_REQUIRE(!ec);
    return p;
}

struct judgement {
    bool accepted;
    ctflow_filter_outlook outlook;
};

judgement judge(const ctflow_filter_program& p, const ctflow_filter_subject& s) {
    judgement j{};
    j.accepted = filter_judge(&p, &s, &j.outlook) != 0;
    return j;
}

judgement judge(std::string_view text, const ctflow_filter_subject& s) {
    return judge(compile(filter::parse(text)), s);
}

} // namespace

BOOST_AUTO_TEST_SUITE(filter_program)

BOOST_AUTO_TEST_CASE(the_table_says_what_the_filter_says) {
    ctflow::test::random_filters random(20240607);
    std::size_t accepted = 0;
    std::size_t telling = 0; // Filters that let some through and others not.
#if defined(CTFLOW_TEST_WITH_ASAN) || defined(CTFLOW_TEST_WITH_TSAN)
    constexpr std::size_t filters = 50; // Many times slower; all of them run in the other builds.
#else
    constexpr std::size_t filters = 200;
#endif
    constexpr std::size_t subjects = 2000;
    for (std::size_t i = 0; i < filters; ++i) {
        const auto f = random.make();
        const auto p = compile(f);
        std::size_t passed = 0;
        for (const auto& s : random.subjects(subjects)) {
            const bool expected = ctflow::filtering::evaluate(f, s);
            BOOST_REQUIRE_MESSAGE((filter_accepts(&p, &s) != 0) == expected, f);
            passed += expected ? 1 : 0;
        }
        accepted += passed;
        telling += passed > subjects / 100 && passed < subjects - subjects / 100 ? 1 : 0;
    }
    BOOST_TEST_MESSAGE(accepted << " of " << filters * subjects << " accepted, " << telling
                                << " filters tell flows apart");
    BOOST_TEST(accepted > filters * subjects / 4);
    BOOST_TEST(accepted < filters * subjects * 3 / 4);
    BOOST_TEST(telling > filters / 2);
}

BOOST_AUTO_TEST_CASE(a_verdict_for_good_is_one_whatever_changes) {
    ctflow::test::random_filters random(3);
    std::size_t for_good = 0;
    std::size_t turned = 0;
    for (int i = 0; i < 8000; ++i) {
        const auto p = compile(random.make());
        auto s = random.subject();
        const auto before = judge(p, s);
        BOOST_REQUIRE((before.outlook.changes & ~p.changes) == 0);
        const auto later = random.subject();
        if ((before.outlook.changes & CTFLOW_FILTER_MARK_CHANGES) == 0 || i % 2 == 0) {
            s.mark = later.mark;
        }
        s.bytes = std::max(s.bytes, later.bytes);
        s.packets = std::max(s.packets, later.packets);
        s.age = std::max(s.age, later.age);
        const bool after = filter_accepts(&p, &s) != 0;
        for_good += before.outlook.changes == 0 ? 1 : 0;
        turned += after != before.accepted ? 1 : 0;
        BOOST_REQUIRE(before.outlook.changes != 0 || after == before.accepted);
    }
    BOOST_TEST(for_good > 1000U);
    BOOST_TEST(turned > 200U);
}

BOOST_AUTO_TEST_CASE(no_age_below_the_one_named_changes_a_verdict) {
    ctflow::test::random_filters random(4);
    std::size_t turned = 0;
    for (int i = 0; i < 20000; ++i) {
        const auto p = compile(random.make(5));
        auto s = random.subject();
        const auto before = judge(p, s);
        if ((before.outlook.changes & CTFLOW_FILTER_AGE_CHANGES) == 0) {
            BOOST_REQUIRE(before.outlook.age == ~0ULL);
            continue;
        }
        BOOST_REQUIRE(before.outlook.age > s.age);
        s.age = before.outlook.age - 1;
        BOOST_REQUIRE((filter_accepts(&p, &s) != 0) == before.accepted);
        s.age = before.outlook.age;
        turned += (filter_accepts(&p, &s) != 0) != before.accepted ? 1 : 0;
    }
    BOOST_TEST(turned > 100U);
}

BOOST_AUTO_TEST_CASE(only_the_tests_that_were_made_count) {
    ctflow_filter_subject s{};
    s.proto = 17;
    BOOST_TEST(judge("proto tcp and bytes >= 1M", s).outlook.changes == 0U);
    s.proto = 6;
    BOOST_TEST(judge("proto tcp and bytes >= 1M", s).outlook.changes ==
               CTFLOW_FILTER_COUNTERS_CHANGE);
    s.bytes = 1'000'000;
    BOOST_TEST(judge("proto tcp and bytes >= 1M", s).accepted);
    BOOST_TEST(judge("proto tcp and bytes >= 1M", s).outlook.changes == 0U);
    BOOST_TEST(!judge("proto tcp and bytes < 1M", s).accepted);
    BOOST_TEST(judge("proto tcp and bytes < 1M", s).outlook.changes == 0U);
    BOOST_TEST(judge("mark 1 or age >= 5s or age >= 3s", s).outlook.age == 3'000'000'000U);
    BOOST_TEST(judge("mark 1 or age >= 5s or age >= 3s", s).outlook.changes ==
               (CTFLOW_FILTER_MARK_CHANGES | CTFLOW_FILTER_AGE_CHANGES));
    BOOST_TEST(judge("", s).outlook.changes == 0U);
}

// As a map may be filled by anybody who may write to it.
BOOST_AUTO_TEST_CASE(no_table_makes_it_misbehave) {
    ctflow::test::random_filters random(5);
    std::mt19937_64 noise(6);
    const auto subjects = random.subjects(16);
    for (int i = 0; i < 20000; ++i) {
        ctflow_filter_program p = compile(random.make(20));
        unsigned char bytes[sizeof(p)];
        std::memcpy(bytes, &p, sizeof(p));
        const auto faults = i % 3 == 0 ? sizeof(p) : noise() % 32;
        for (std::size_t n = 0; n < faults; ++n) {
            bytes[noise() % sizeof(p)] = static_cast<unsigned char>(noise());
        }
        std::memcpy(&p, bytes, sizeof(p));
        for (const auto& s : subjects) {
            const auto j = judge(p, s);
            BOOST_REQUIRE((j.outlook.changes & ~0xffU) == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_refuses) {
    const ctflow_filter_subject s{};
    const auto accepts = [&](const ctflow_filter_program& p) {
        return filter_accepts(&p, &s) != 0;
    };
    ctflow_filter_program p{};
    BOOST_TEST(accepts(p));
    p.length = 2;
    BOOST_TEST(!accepts(p)); // Jumps to itself.
    p.tests[0].yes.to = p.tests[0].no.to = 1;
    BOOST_TEST(!accepts(p)); // Jumps back.
    p.tests[1].yes.to = p.tests[1].no.to = CTFLOW_FILTER_ACCEPT;
    BOOST_TEST(accepts(p));
    p.length = 1;
    BOOST_TEST(!accepts(p)); // Jumps beyond its length.
    p.length = ~0U;
    BOOST_TEST(accepts(p));
    p.tests[0].yes.to = p.tests[0].no.to = 64;
    BOOST_TEST(!accepts(p)); // Jumps beyond the table.
    for (unsigned i = 0; i < CTFLOW_FILTER_TESTS; ++i) {
        p.tests[i].yes.to = p.tests[i].no.to = static_cast<unsigned char>(i + 1);
    }
    BOOST_TEST(!accepts(p)); // Never comes to an end.
    p.tests[CTFLOW_FILTER_TESTS - 1].yes.to = CTFLOW_FILTER_ACCEPT;
    p.tests[CTFLOW_FILTER_TESTS - 1].no.to = CTFLOW_FILTER_ACCEPT;
    BOOST_TEST(accepts(p)); // Does, at the last.
    p = {};
    p.length = 1;
    p.tests[0].op = 200;
    p.tests[0].yes.to = CTFLOW_FILTER_ACCEPT;
    p.tests[0].no.to = CTFLOW_FILTER_REJECT;
    BOOST_TEST(!accepts(p)); // No such test.
}

BOOST_AUTO_TEST_SUITE_END()
