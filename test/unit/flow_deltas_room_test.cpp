// SPDX-License-Identifier: Apache-2.0
//
// Which flows are remembered when there is no room for all.
#include "delta_flow.hpp"
#include "support/failing_memory.hpp"

#include <ctflow/flow_deltas.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>

using namespace ctflow::test;
using ctflow::delta_kind;

namespace {

constexpr auto none = ctflow::flow_delta{};
constexpr auto since = ctflow::boot_clock::time_point(1000s - 1s);

struct fixture {
    ctflow::flow_deltas deltas{8, since};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(flow_deltas_room, fixture)

BOOST_AUTO_TEST_CASE(the_least_recently_heard_of_is_forgotten) {
    for (std::uint32_t n = 0; n < 8; ++n) {
        deltas.take(delta_flow{.number = n}.at(1000s + 1s * n, 10));
    }
    deltas.take(delta_flow{.number = 0}.at(1010s, 11));
    const delta_flow young{.number = 9, .began = 1011s};
    BOOST_TEST(deltas.take(young.at(1011s + 1ms, 1)).kind == delta_kind::whole);
    BOOST_TEST(deltas.evicted() == 1U);
    BOOST_TEST(deltas.size() == 8U);
    BOOST_TEST(deltas.take(delta_flow{.number = 0}.at(1020s, 12)).packets_orig == 1U);
    // That which was forgotten has been told of before.
    BOOST_TEST(deltas.take(delta_flow{.number = 1}.at(1020s, 12)) == none);
    BOOST_TEST(deltas.evicted() == 2U);
    // And this one has not.
    const delta_flow unheard{.number = 10, .began = 1019s};
    BOOST_TEST(deltas.take(unheard.at(1021s, 12)).kind == delta_kind::whole);
}

BOOST_AUTO_TEST_CASE(those_that_have_ended_are_forgotten_first) {
    for (std::uint32_t n = 0; n < 7; ++n) {
        deltas.take(delta_flow{.number = n}.at(1000s, 10));
    }
    const delta_flow over{.number = 7};
    deltas.take(over.end(1020s, 10));
    BOOST_TEST(deltas.take(delta_flow{.number = 8, .began = 1030s}.at(1030s, 1)).packets_orig ==
               1U);
    BOOST_TEST(deltas.size() == 8U);
    BOOST_TEST(deltas.evicted() == 0U);
    BOOST_TEST(deltas.take(over.at(1019s, 9)) == none); // Late, and not told twice.
    BOOST_TEST(deltas.evicted() == 0U);
}

BOOST_AUTO_TEST_CASE(no_live_flow_has_to_go_for_an_end) {
    for (std::uint32_t n = 0; n < 8; ++n) {
        deltas.take(delta_flow{.number = n}.at(1000s, 10));
    }
    const delta_flow f{.number = 9};
    BOOST_TEST(deltas.take(f.end(1030s, 1)) == delta(delta_kind::whole, 1, 100, 0, 0));
    BOOST_TEST(deltas.take(f.at(1029s, 1)) == none);
    BOOST_TEST(deltas.evicted() == 0U);
}

BOOST_AUTO_TEST_CASE(it_allocates_in_the_constructor_alone) {
    const auto asked = requests_of([&] {
        for (std::uint32_t n = 0; n < 1000; ++n) {
            const delta_flow f{.number = n};
            deltas.take(f.at(1000s + 1ms * n, 1));
            deltas.take(n % 2 != 0 ? f.end(1001s + 1ms * n, 11) : f.at(1001s + 1ms * n, 2));
        }
    });
    BOOST_TEST(asked.empty());
    BOOST_TEST(deltas.evicted() > 0U);
}

BOOST_AUTO_TEST_CASE(capacities) {
    ctflow::flow_deltas least(0, since);
    const delta_flow f;
    least.take(f.at(1000s, 1));
    BOOST_TEST(least.take(f.at(1001s, 2)).packets_orig == 1U);
    constexpr auto too_many = std::numeric_limits<std::size_t>::max();
    BOOST_CHECK_THROW((ctflow::flow_deltas{too_many}), std::length_error);
    auto moved = std::move(least);
    BOOST_TEST(moved.take(f.at(1002s, 3)).packets_orig == 1U);
    moved = ctflow::flow_deltas(1, since);
    BOOST_TEST(moved.size() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
