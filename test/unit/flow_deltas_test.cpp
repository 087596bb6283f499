// SPDX-License-Identifier: Apache-2.0
#include "delta_flow.hpp"

#include <ctflow/flow_deltas.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>

using namespace ctflow::test;
using ctflow::delta_kind;
using ctflow::event_kind;

namespace {

constexpr auto none = ctflow::flow_delta{};
constexpr auto since = ctflow::boot_clock::time_point(1000s - 1s);
const auto nothing_late = delta(delta_kind::late, 0, 0, 0, 0);

struct fixture {
    ctflow::flow_deltas deltas{8, since};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(flow_deltas, fixture)

BOOST_AUTO_TEST_CASE(a_flow_begins_goes_on_and_ends) {
    const delta_flow f;
    BOOST_TEST(deltas.take(f.at(1000s, 1)) == delta(delta_kind::whole, 1, 100, 0, 0));
    BOOST_TEST(deltas.size() == 1U);
    BOOST_TEST(deltas.take(f.at(1020s, 5)) == delta(delta_kind::next, 4, 400, 2, 80, 20s));
    BOOST_TEST(deltas.take(f.at(1040s, 5)) == delta(delta_kind::next, 0, 0, 0, 0, 20s));
    BOOST_TEST(deltas.take(f.end(1041s, 6)) == delta(delta_kind::next, 1, 100, 1, 40, 1s));
    BOOST_TEST(deltas.size() == 0U);
    BOOST_TEST(deltas.evicted() == 0U);
}

BOOST_AUTO_TEST_CASE(the_first_event_of_a_flow_that_began_before_tells_nothing) {
    delta_flow f;
    f.began = 900s;
    BOOST_TEST(deltas.take(f.at(1000s, 50)) == none);
    BOOST_TEST(deltas.take(f.at(1020s, 52)) == delta(delta_kind::next, 2, 200, 1, 40, 20s));
    f.has_start = false;
    f.number = 2;
    BOOST_TEST(deltas.take(f.at(1000s, 50)) == none);
    BOOST_TEST(deltas.take(f.end(1020s, 52)) == delta(delta_kind::next, 2, 200, 1, 40, 20s));
}

BOOST_AUTO_TEST_CASE(of_one_that_began_since_it_tells_all) {
    const delta_flow f;
    BOOST_TEST(deltas.take(f.at(1020s, 8)) == delta(delta_kind::whole, 8, 800, 4, 160));
    delta_flow ended_at_once;
    ended_at_once.number = 2;
    BOOST_TEST(deltas.take(ended_at_once.end(1020s, 2)) == delta(delta_kind::whole, 2, 200, 1, 40));
    delta_flow without_address;
    without_address.conntrack = 0;
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(deltas.take(without_address.end(1020s, 2)).kind == delta_kind::whole);
    }
    BOOST_TEST(deltas.size() == 1U);
}

BOOST_AUTO_TEST_CASE(without_starts_first_packets_tell) {
    delta_flow f;
    f.has_start = false;
    BOOST_TEST(deltas.take(f.at(1000s, 1)) == delta(delta_kind::whole, 1, 100, 0, 0));
    f.number = 2;
    BOOST_TEST(deltas.take(f.end(1000s, 1)) == none); // Its update may have been long ago.
    f.number = 3;
    BOOST_TEST(deltas.take(f.at(998s, 1)) == none);
}

BOOST_AUTO_TEST_CASE(what_has_been_overtaken_adds_nothing) {
    const delta_flow f;
    deltas.take(f.at(1020s, 5));
    BOOST_TEST(deltas.take(f.at(1000s, 1)) == nothing_late);
    BOOST_TEST(deltas.take(f.end(1030s, 9)).packets_orig == 4U);
    BOOST_TEST(deltas.take(f.at(1029s, 8)) == nothing_late);
    BOOST_TEST(deltas.size() == 0U);
}

// Of an end that is told before the very last packet has been counted.
BOOST_AUTO_TEST_CASE(what_comes_after_the_end_and_has_more_adds_that) {
    const delta_flow f;
    deltas.take(f.end(1030s, 8));
    BOOST_TEST(deltas.take(f.at(1030s + 1us, 9)) == delta(delta_kind::next, 1, 100, 0, 0, 1us));
    BOOST_TEST(deltas.size() == 0U);
}

BOOST_AUTO_TEST_CASE(readings_of_two_cpus_at_one_time_are_no_reset) {
    const delta_flow f;
    deltas.take(f.at(1000s, 10));
    const auto torn = f.at(1000s + 1ms, 9, 1100, 5, 200, event_kind::update);
    BOOST_TEST(deltas.take(torn) == nothing_late);
    BOOST_TEST(deltas.take(f.at(1020s, 11, 1101, 5, 200, event_kind::update)) ==
               delta(delta_kind::next, 1, 101, 0, 0, 20s - 1ms));
    // Where there is no next event,
    deltas.take(f.end(1021s, 12));
    BOOST_TEST(deltas.take(f.at(1021s - 1ms, 11, 1300, 6, 240, event_kind::update)) ==
               delta(delta_kind::late, 0, 100, 0, 0));
    BOOST_TEST(deltas.take(f.at(1021s + 1ms, 11, 1301, 6, 240, event_kind::update)) ==
               delta(delta_kind::late, 0, 1, 0, 0));
}

BOOST_AUTO_TEST_CASE(counters_that_were_zeroed_count_anew) {
    const delta_flow f;
    deltas.take(f.at(1000s, 100));
    BOOST_TEST(deltas.take(f.at(1020s, 4)) == delta(delta_kind::after_reset, 4, 400, 2, 80, 20s));
    BOOST_TEST(deltas.take(f.at(1040s, 6)) == delta(delta_kind::next, 2, 200, 1, 40, 20s));
    BOOST_TEST(deltas.take(f.at(1019s, 200)) == nothing_late);
    BOOST_TEST(deltas.take(f.end(1060s, 0)) == delta(delta_kind::after_reset, 0, 0, 0, 0, 20s));
}

// Five small packets, then one large one: its bytes are above.
// As often as a curve of some milliseconds has them.
BOOST_AUTO_TEST_CASE(also_where_events_come_fast) {
    const delta_flow f;
    deltas.take(f.at(1000s, 1));
    deltas.take(f.at(1000s + 50ms, 1000));
    std::uint64_t told = 0;
    for (int i = 1; i <= 10; ++i) { // Ten packets each time.
        told += deltas.take(f.at(1000s + (1 + i) * 50ms, static_cast<std::uint64_t>(10 * i)))
                    .packets_orig;
    }
    BOOST_TEST(told == 100U);
}

BOOST_AUTO_TEST_CASE(all_counters_are_zeroed_together) {
    const delta_flow f;
    deltas.take(f.at(1000s, 5, 200, 5, 200, event_kind::update));
    BOOST_TEST(deltas.take(f.at(1020s, 1, 1500, 6, 240, event_kind::update)) ==
               delta(delta_kind::after_reset, 1, 1500, 6, 240, 20s));
}

BOOST_AUTO_TEST_CASE(any_one_that_is_below_tells_of_it) {
    for (std::size_t below = 0; below < 4; ++below) {
        delta_flow f;
        f.number = static_cast<std::uint32_t>(below);
        deltas.take(f.at(1000s, 5, 200, 5, 200, event_kind::update));
        std::array<std::uint64_t, 4> c{6, 240, 6, 240};
        c[below] = 1;
        BOOST_TEST(deltas.take(f.at(1020s, c[0], c[1], c[2], c[3], event_kind::update)) ==
                   delta(delta_kind::after_reset, c[0], c[1], c[2], c[3], 20s));
    }
}

BOOST_AUTO_TEST_CASE(an_end_can_be_the_first_after_a_reset) {
    const delta_flow f;
    deltas.take(f.at(1000s, 100));
    BOOST_TEST(deltas.take(f.end(1020s, 4)).kind == delta_kind::after_reset);
    BOOST_TEST(deltas.take(f.at(1020s - 1ms, 200)) == nothing_late); // Of before.
    BOOST_TEST(deltas.take(f.at(1020s + 1ms, 5)).packets_orig == 1U);
    BOOST_TEST(deltas.take(f.at(1021s, 4)) == nothing_late); // What is over is not zeroed.
}

BOOST_AUTO_TEST_CASE(an_address_is_used_again) {
    const delta_flow first;
    delta_flow second;
    second.began = 1010s;
    delta_flow other_tuple;
    other_tuple.number = 2;
    deltas.take(first.at(1005s, 10)); // Its end is lost.
    BOOST_TEST(deltas.take(second.at(1010s, 20)).packets_orig == 20U);
    BOOST_TEST(deltas.take(other_tuple.at(1020s, 5)).packets_orig == 5U);
    BOOST_TEST(deltas.take(second.at(1030s, 21)).packets_orig == 1U);
    BOOST_TEST(deltas.take(first.end(1009s, 12)).packets_orig == 2U); // It was only late.
    BOOST_TEST(deltas.size() == 2U);
}

BOOST_AUTO_TEST_CASE(without_starts_a_tuple_is_used_again_at_its_address) {
    delta_flow f;
    f.has_start = false;
    const auto whole = delta(delta_kind::whole, 1, 100, 0, 0);
    BOOST_TEST(deltas.take(f.at(1000s, 1)) == whole);
    BOOST_TEST(deltas.take(f.end(1030s, 1)).packets_orig == 0U);
    BOOST_TEST(deltas.take(f.at(1030s + 1us, 1)) == whole);
    BOOST_TEST(deltas.size() == 1U);
    BOOST_TEST(deltas.take(f.at(1031s, 9)).packets_orig == 8U); // Its end is lost.
    BOOST_TEST(deltas.take(f.at(1060s, 1)) == whole);
    BOOST_TEST(deltas.take(f.end(1050s, 9)) == nothing_late); // No, late.
    BOOST_TEST(deltas.size() == 1U);
    BOOST_TEST(deltas.take(f.end(1090s, 5)).packets_orig == 4U);
    BOOST_TEST(deltas.take(f.at(1120s, 7)) == none); // Its first event is lost.
    BOOST_TEST(deltas.take(f.end(1150s, 9)).packets_orig == 2U);
    BOOST_TEST(deltas.take(f.end(1180s, 20)) == none);      // All are lost but this.
    BOOST_TEST(deltas.take(f.at(1180s + 1us, 19)) == none); // Lower, so another.
    BOOST_TEST(deltas.take(f.at(1200s, 22)).packets_orig == 3U);
}

BOOST_AUTO_TEST_CASE(records_of_any_content_are_borne) {
    for (int byte = 0; byte < 256; ++byte) {
        ctflow_record r;
        std::memset(&r, byte, sizeof(r));
        deltas.take(ctflow::event(r));
        r.timestamp += 1ULL << 63;
        const auto d = deltas.take(ctflow::event(r));
        BOOST_TEST(d.packets_ret <= r.packets_ret);
    }
}

BOOST_AUTO_TEST_CASE(texts) {
    BOOST_TEST(to_string(delta_kind::whole) == "whole");
    BOOST_TEST(to_string(delta_kind::next) == "next");
    BOOST_TEST(to_string(delta_kind::after_reset) == "after_reset");
    BOOST_TEST(to_string(delta_kind::late) == "late");
    BOOST_TEST(to_string(delta_kind::unknown) == "unknown");
}

BOOST_AUTO_TEST_SUITE_END()
