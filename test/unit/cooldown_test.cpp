// SPDX-License-Identifier: Apache-2.0
//
// The very lines that the BPF programs are compiled from.
#include "cooldown.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <random>

namespace {

using u64 = unsigned long long;

constexpr u64 flow = 0xffff888012345680;
constexpr u64 neighbour = flow + 0x140;
constexpr u64 now = 4'294'900'000; // Ticks, as soon after a boot.
constexpr unsigned bits = 17;
constexpr u64 second = 1'000'000'000;

} // namespace

BOOST_AUTO_TEST_SUITE(cooldown)

BOOST_AUTO_TEST_CASE(slot_and_tag_together_tell_all_flows_apart) {
    std::mt19937_64 random(1);
    for (unsigned b = CTFLOW_COOLDOWN_MIN_BITS; b <= 27; ++b) {
        for (int i = 0; i < 1000; ++i) {
            const u64 address = random();
            const u64 slot = cooldown_slot(address, b);
            const u64 tag = cooldown_tag(address, b) >> CTFLOW_COOLDOWN_TIME_BITS;
            const u64 mask = (u64{1} << b) - 1;
            BOOST_REQUIRE(slot <= mask);
            // Read backwards: the 64-byte line within 2^50 bytes is all there.
            const u64 line = tag << b | (slot ^ (tag & mask));
            BOOST_REQUIRE_EQUAL(line, address << 14 >> 14 >> 6);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_word_holds_for_its_flow_until_its_time) {
    const u64 rest = 20 * second;
    const u64 word = cooldown_word(flow, bits, now, rest);
    const u64 length = rest >> CTFLOW_COOLDOWN_TICK_SHIFT;
    BOOST_TEST(cooldown_is_of(word, flow, bits));
    BOOST_TEST(cooldown_holds(word, flow, bits, now));
    BOOST_TEST(cooldown_holds(word, flow, bits, now + length - 1));
    BOOST_TEST(!cooldown_holds(word, flow, bits, now + length));
    BOOST_TEST(!cooldown_holds(word, flow, bits, now + length + 1));
    // And not again for two years.
    BOOST_TEST(!cooldown_holds(word, flow, bits, now + (u64{1} << 36) - CTFLOW_COOLDOWN_LONGEST));
}

BOOST_AUTO_TEST_CASE(a_word_holds_for_no_other_flow) {
    const u64 word = cooldown_word(flow, bits, now, 20 * second);
    BOOST_TEST(!cooldown_holds(word, flow + (u64{1} << (6 + bits)), bits, now)); // Of this slot.
    BOOST_TEST(!cooldown_holds(word, flow + (u64{1} << 49), bits, now));
    BOOST_TEST(cooldown_slot(flow, bits) != cooldown_slot(neighbour, bits));
}

BOOST_AUTO_TEST_CASE(an_empty_word_holds_for_nobody) {
    for (const u64 ticks : {u64{0}, u64{1}, now, ~u64{0}}) {
        BOOST_TEST(!cooldown_holds(0, 0, bits, ticks));
        BOOST_TEST(!cooldown_holds(0, flow, bits, ticks));
    }
}

BOOST_AUTO_TEST_CASE(a_short_rest_makes_no_word) {
    BOOST_TEST(cooldown_word(flow, bits, now, 0) == 0U);
    BOOST_TEST(cooldown_word(flow, bits, now, 16'777'215) == 0U);
    BOOST_TEST(cooldown_word(flow, bits, now, 16'777'216) != 0U);
}

BOOST_AUTO_TEST_CASE(a_word_is_through_before_the_cooldown_is_at_any_pace_of_ticks) {
    for (const u64 hertz : {100U, 250U, 300U, 1000U}) {
        const u64 tick = second / hertz;
        for (const u64 rest : {20'000'000ULL, 33'554'431ULL, 20 * second, 300 * second}) {
            const u64 word = cooldown_word(flow, bits, now, rest);
            // The first tick that is not before the end. The counter may be about to move.
            const u64 ticks = rest / tick;
            BOOST_TEST(!cooldown_holds(word, flow, bits, now + ticks));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_counter_may_wrap_around) {
    for (const u64 start : {(u64{1} << 36) - 5, ~u64{0} - 5, ~u64{0}}) {
        const u64 word = cooldown_word(flow, bits, start, second); // 59 ticks.
        BOOST_TEST(cooldown_holds(word, flow, bits, start));
        BOOST_TEST(cooldown_holds(word, flow, bits, start + 58));
        BOOST_TEST(!cooldown_holds(word, flow, bits, start + 59));
    }
}

BOOST_AUTO_TEST_CASE(the_longest_rest_is_cut) {
    const u64 century = 3'153'600'000 * second;
    const u64 word = cooldown_word(flow, bits, now, century);
    BOOST_TEST(cooldown_holds(word, flow, bits, now));
    BOOST_TEST(cooldown_holds(word, flow, bits, now + CTFLOW_COOLDOWN_LONGEST - 1));
    BOOST_TEST(!cooldown_holds(word, flow, bits, now + CTFLOW_COOLDOWN_LONGEST));
}

BOOST_AUTO_TEST_SUITE_END()
