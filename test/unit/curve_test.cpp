// SPDX-License-Identifier: Apache-2.0
//
// The lines that run in the kernel, compiled here for user space.
#include "curve.h"

#include <ctflow/config.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <limits>
#include <vector>

namespace {

using ns = unsigned long long;

constexpr ns second = 1'000'000'000;
constexpr ns minute = 60 * second;
constexpr ns unit = CTFLOW_FLOW_BITS + 1; // Of births.

ns count(std::chrono::nanoseconds d) {
    return static_cast<ns>(d.count());
}

ctflow_curve curve_of(const ctflow::config& given) {
    const auto c = ctflow::with_defaults(given);
    return {{count(c.curve0.age), count(c.curve1.age), count(c.curve2.age)},
            {count(c.curve0.rate), count(c.curve1.rate), count(c.curve2.rate)}};
}

ctflow_curve default_curve() {
    return curve_of({});
}

// How long after a packet at this age the next update may be sent.
ns cooldown_at(const ctflow_curve& c, ns age) {
    constexpr ns birth = 1000 * minute;
    ctflow_flow_state flow{birth, birth};
    BOOST_TEST(curve_sample(&c, &flow, birth + age) == 1);
    BOOST_TEST(flow.origin == birth);
    return flow.next - (birth + age);
}

// The ages at which a flow sends updates that has a packet each `pace` up to the age `end`.
std::vector<ns> updates(const ctflow_curve& c, ctflow_flow_state flow, bool first_sampled, ns pace,
                        ns end) {
    std::vector<ns> at;
    const ns birth = flow.origin;
    if (first_sampled) {
        at.push_back(0);
    }
    for (ns now = birth + pace; now <= birth + end; now += pace) {
        if (now >= flow.next && curve_sample(&c, &flow, now) != 0) {
            at.push_back(now - birth);
        }
    }
    return at;
}

} // namespace

BOOST_AUTO_TEST_SUITE(curve)

BOOST_AUTO_TEST_CASE(by_default_the_segments_are_20s_then_60s_then_5min) {
    const auto c = default_curve();
    BOOST_TEST(c.age[0] == 0U);
    BOOST_TEST(c.age[1] == 60 * second);
    BOOST_TEST(c.age[2] == 5 * minute);

    BOOST_TEST(cooldown_at(c, 0) == 20 * second);
    BOOST_TEST(cooldown_at(c, 30 * second) == 20 * second);
    BOOST_TEST(cooldown_at(c, 3 * minute) == 60 * second);
    BOOST_TEST(cooldown_at(c, 60 * minute) == 5 * minute);
}

BOOST_AUTO_TEST_CASE(a_segment_begins_exactly_at_its_age) {
    const auto c = default_curve();
    BOOST_TEST(cooldown_at(c, minute - 1) == 20 * second);
    BOOST_TEST(cooldown_at(c, minute) == 60 * second);
    BOOST_TEST(cooldown_at(c, 5 * minute - 1) == 60 * second);
    BOOST_TEST(cooldown_at(c, 5 * minute) == 5 * minute);
}

BOOST_AUTO_TEST_CASE(a_busy_flow_sends_at_the_times_that_the_curve_says) {
    const auto c = default_curve();
    ctflow_flow_state flow{};
    const bool sampled = curve_begin(&c, &flow, 771 * unit) != 0;
    const std::vector<ns> expected = {0,           20 * second, 40 * second, 1 * minute,
                                      2 * minute,  3 * minute,  4 * minute,  5 * minute,
                                      10 * minute, 15 * minute, 20 * minute};
    BOOST_TEST(updates(c, flow, sampled, second, 20 * minute) == expected,
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(rates_need_not_rise_with_age) {
    const ctflow_curve c{{0, 100, 200}, {30, 10, 20}};
    BOOST_TEST(cooldown_at(c, 99) == 30U);
    BOOST_TEST(cooldown_at(c, 100) == 10U);
    BOOST_TEST(cooldown_at(c, 200) == 20U);
}

BOOST_AUTO_TEST_CASE(a_new_flow_is_sampled_at_once) {
    const auto c = default_curve();
    ctflow_flow_state flow{77, 88}; // Left over from another flow at this address.
    BOOST_TEST(curve_begin(&c, &flow, 5 * second) == 1);
    BOOST_TEST(flow.origin == 5 * second);
    BOOST_TEST(flow.next == 25 * second);
}

BOOST_AUTO_TEST_CASE(below_the_first_age_a_flow_is_not_sampled_and_waits_for_it) {
    ctflow::config given;
    given.curve0.age = std::chrono::seconds(10);
    const auto c = curve_of(given);

    ctflow_flow_state flow{};
    BOOST_TEST(curve_begin(&c, &flow, 100 * second) == 0);
    BOOST_TEST(flow.origin == 100 * second);
    BOOST_TEST(flow.next == 110 * second);

    // However often it is asked before.
    for (const ns age : {1 * second, 5 * second, 10 * second - 1}) {
        BOOST_TEST(curve_sample(&c, &flow, 100 * second + age) == 0);
        BOOST_TEST(flow.next == 110 * second);
    }

    // The first packet from that age on.
    BOOST_TEST(curve_sample(&c, &flow, 110 * second) == 1);
    BOOST_TEST(flow.next == 130 * second);
}

BOOST_AUTO_TEST_CASE(the_first_packet_after_the_first_age_is_sampled_however_late) {
    ctflow::config given;
    given.curve0.age = std::chrono::seconds(10);
    const auto c = curve_of(given);

    ctflow_flow_state flow{};
    BOOST_REQUIRE(curve_begin(&c, &flow, 100 * second) == 0);
    BOOST_TEST(curve_sample(&c, &flow, 100 * second + 33 * second) == 1);
    BOOST_TEST(flow.next == 100 * second + 53 * second);
}

BOOST_AUTO_TEST_CASE(a_busy_flow_with_a_first_age_starts_there) {
    const ctflow_curve c{{10, 25, 50}, {5, 10, 20}};
    ctflow_flow_state flow{};
    const bool sampled = curve_begin(&c, &flow, 1000) != 0;
    const std::vector<ns> expected = {10, 15, 20, 25, 35, 45, 55, 75, 95};
    BOOST_TEST(updates(c, flow, sampled, 1, 100) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_flow_older_than_the_probe_counts_as_of_the_second_age) {
    const auto c = default_curve();
    constexpr ns now = 1000 * minute;
    ctflow_flow_state flow{};
    BOOST_TEST(curve_adopt(&c, &flow, now) == 1);
    BOOST_TEST((flow.origin & ~CTFLOW_FLOW_BITS) == now - minute);
    BOOST_TEST((flow.origin & CTFLOW_FLOW_BITS) == CTFLOW_FLOW_ADOPTED);
    BOOST_TEST(flow.next == now + minute); // curve1's rate.

    // From there it goes on like any other.
    BOOST_TEST(curve_sample(&c, &flow, now + 4 * minute - 1) == 1);
    BOOST_TEST(flow.next == now + 5 * minute - 1);
    BOOST_TEST(curve_sample(&c, &flow, now + 4 * minute) == 1);
    BOOST_TEST(flow.next == now + 9 * minute);
}

BOOST_AUTO_TEST_CASE(a_first_age_does_not_silence_a_flow_older_than_the_probe) {
    ctflow::config given;
    given.curve0.age = std::chrono::seconds(30);
    const auto c = curve_of(given);
    ctflow_flow_state flow{};
    BOOST_TEST(curve_adopt(&c, &flow, 1000 * minute) == 1);
    BOOST_TEST(flow.next == 1001 * minute);
}

BOOST_AUTO_TEST_CASE(soon_after_boot_it_counts_as_of_that_age_too) {
    const auto c = default_curve();
    ctflow_flow_state flow{};
    // Its supposed birth lies before the clock began.
    for (const ns now : {ns{0}, 5 * second, minute - unit, minute, minute + unit}) {
        BOOST_TEST(curve_adopt(&c, &flow, now) == 1);
        BOOST_TEST(flow.next == now + minute); // curve1's rate.
        BOOST_TEST(curve_sample(&c, &flow, now + 4 * minute - 1) == 1);
        BOOST_TEST(flow.next == now + 5 * minute - 1);
        BOOST_TEST(curve_sample(&c, &flow, now + 4 * minute) == 1);
        BOOST_TEST(flow.next == now + 9 * minute);
    }
}

BOOST_AUTO_TEST_CASE(soon_after_boot_a_first_age_does_not_silence_it_either) {
    ctflow::config given;
    given.curve0.age = std::chrono::seconds(10);
    const auto c = curve_of(given);
    ctflow_flow_state flow{};
    BOOST_TEST(curve_adopt(&c, &flow, 5 * second) == 1);
    BOOST_TEST(flow.next == 5 * second + minute);
}

BOOST_AUTO_TEST_CASE(a_clock_that_steps_back_makes_a_flow_young_not_ancient) {
    const auto c = default_curve();
    ctflow_flow_state flow{1000 * second, 0};
    BOOST_TEST(curve_sample(&c, &flow, 999 * second) == 1);
    BOOST_TEST(flow.origin == 1000 * second);
    BOOST_TEST(flow.next == 1019 * second); // curve0's rate.

    ctflow::config given;
    given.curve0.age = std::chrono::seconds(10);
    const auto later = curve_of(given);
    flow = {1000 * second, 0};
    BOOST_TEST(curve_sample(&later, &flow, 999 * second) == 0);
    BOOST_TEST(flow.next == 1010 * second);
}

BOOST_AUTO_TEST_CASE(the_longest_durations_of_a_config_do_not_overflow) {
    constexpr auto limit = ctflow::config::curve_limit;
    ctflow::config given;
    given.curve0.age = std::chrono::seconds(1);
    given.curve1 = {limit - std::chrono::nanoseconds(1), limit};
    given.curve2 = {limit, limit};
    BOOST_REQUIRE(!ctflow::validate(given));
    const auto c = curve_of(given);
    constexpr ns longest = limit.count();
    ctflow_flow_state flow{0, 0};
    BOOST_TEST(curve_sample(&c, &flow, longest) == 1);
    BOOST_TEST(flow.next == 2 * longest);

    // A flow adopted with so great an age stays old for a century of uptime.
    BOOST_TEST(curve_adopt(&c, &flow, 5 * second) == 1);
    BOOST_TEST(curve_sample(&c, &flow, 5 * second + longest) == 1);
    BOOST_TEST(flow.next == 5 * second + 2 * longest);
}

BOOST_AUTO_TEST_SUITE_END()
