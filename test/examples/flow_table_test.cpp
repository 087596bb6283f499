// SPDX-License-Identifier: Apache-2.0
#include "common/flow_table.hpp"
#include "examples/sample.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;
using ctflow::boot_clock;
using ctflow::test::epoch;
using ctflow::test::sample;
using table = examples::flow_table;
using examples::movement;

namespace {

std::size_t size(const table& t) {
    std::size_t n = 0;
    t.for_each([&n](const auto&) { ++n; });
    return n;
}

} // namespace

BOOST_AUTO_TEST_SUITE(flow_table)

BOOST_AUTO_TEST_CASE(what_events_tell_adds_up) {
    table t(10, epoch);
    const sample s;
    BOOST_TEST((t.apply(s.at(1s, 60, 0).update()) == movement{1, 60, 0, 0, 0s}));
    BOOST_TEST((t.apply(s.at(3s, 1060, 500).update()) == movement{0, 1000, 0, 500, 2s}));
    BOOST_TEST(t.live() == 1U);
    BOOST_TEST((t.apply(s.at(4s, 1160, 500).destroy()) == movement{0, 100, 0, 0, 1s}));
    BOOST_TEST(t.live() == 0U);
    BOOST_TEST(size(t) == 1U);
    t.forget_ended(boot_clock::time_point(5s));
    BOOST_TEST(size(t) == 1U);
    t.forget_ended(boot_clock::time_point(5s + 1ns));
    BOOST_TEST(size(t) == 0U);
}

BOOST_AUTO_TEST_CASE(overtaken_events_tell_nothing) {
    table t(10, epoch);
    const sample s;
    t.apply(s.at(3s, 1060, 0).update());
    BOOST_TEST((t.apply(s.at(2s, 560, 0).update()) == movement()));
    t.apply(s.at(5s, 2000, 0).destroy());
    BOOST_TEST((t.apply(s.at(4s, 1500, 0).update()) == movement()));
    BOOST_TEST(t.live() == 0U);
}

BOOST_AUTO_TEST_CASE(a_flow_of_which_only_the_end_is_heard) {
    table t(10, epoch);
    BOOST_TEST(t.apply(sample().at(5s, 2000, 100).destroy()).bytes_orig == 2000U);
    BOOST_TEST(t.live() == 0U);
}

// The kernel uses an address again at once: the end of the flow before may come later.
BOOST_AUTO_TEST_CASE(another_flow_at_the_same_address) {
    table t(10, epoch);
    sample one;
    sample other;
    other.from_port = 40002;
    t.apply(one.at(1s, 60, 0).update());
    BOOST_TEST(t.apply(other.at(3s, 70, 0).update()).bytes_orig == 70U);
    BOOST_TEST(t.apply(one.at(2s, 100, 0).destroy()).bytes_orig == 40U);
    BOOST_TEST(t.live() == 1U);
}

BOOST_AUTO_TEST_CASE(the_same_ends_at_the_same_address) {
    table t(10, epoch);
    const sample s;
    t.apply(s.at(1s, 1000, 0).update());
    t.apply(s.at(2s, 1000, 0).destroy());
    BOOST_TEST(t.apply(s.at(3s, 60, 0).update()).bytes_orig == 60U);
    BOOST_TEST(t.live() == 1U);
    t.forget_ended(boot_clock::time_point(10s)); // Not the one that lives.
    BOOST_TEST(t.live() == 1U);
    BOOST_TEST(size(t) == 1U);
    // The end of this one is lost, and counters have fallen: it is yet another.
    BOOST_TEST(t.apply(s.at(4s, 50, 0).update()).bytes_orig == 50U);
    BOOST_TEST(t.live() == 1U);
}

BOOST_AUTO_TEST_CASE(what_older_flows_had_moved_before_is_left_out) {
    table t(10, epoch + 1s);
    const sample old; // Began at the epoch.
    BOOST_TEST((t.apply(old.at(1s, 1'000'000, 5).update()) == movement()));
    BOOST_TEST(t.apply(old.at(2s, 1'000'100, 5).update()).bytes_orig == 100U);
    sample fresh;
    fresh.conntrack = 2;
    fresh.start = 1s;
    BOOST_TEST(t.apply(fresh.at(2s, 60, 0).update()).bytes_orig == 60U);
}

BOOST_AUTO_TEST_CASE(no_more_than_its_limit) {
    table t(2, epoch);
    sample s;
    for (s.conntrack = 1; s.conntrack <= 3; ++s.conntrack) {
        t.apply(s.at(1s, 60, 0).update());
    }
    BOOST_TEST(t.live() == 2U);
    BOOST_TEST(t.refused() == 1U);
    s.conntrack = 3; // It is counted when it ends,
    BOOST_TEST(t.apply(s.at(9s, 500, 20).destroy()).bytes_orig == 500U);
    BOOST_TEST(size(t) == 2U);
    s.conntrack = 1; // or when there is room: what has just ended makes some.
    t.apply(s.at(2s, 100, 0).destroy());
    s.conntrack = 4;
    BOOST_TEST(t.apply(s.at(2s, 60, 0).update()).bytes_orig == 60U);
    BOOST_TEST(t.live() == 2U);
    BOOST_TEST(size(t) == 2U);
    BOOST_TEST(t.limit() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
