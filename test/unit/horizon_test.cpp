// SPDX-License-Identifier: Apache-2.0
#include "deltas/horizon.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>

namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t hour = 3600 * second;
constexpr std::uint64_t ahead = 500'000 * hour; // Of the boot clock, the wall clock.

// 1000 s after boot.
struct fixture {
    ctflow::deltas::horizon h{1000 * second, ahead};

    // Of a flow that began then, by a wall clock that is so far ahead.
    bool began_after(std::uint64_t boot_time, std::uint64_t by = ahead) const {
        return h.began_after(by + boot_time);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(horizon, fixture)

BOOST_AUTO_TEST_CASE(flows_from_before_and_after) {
    BOOST_TEST(!began_after(900 * second));
    BOOST_TEST(!began_after(1000 * second));
    BOOST_TEST(!began_after(1000 * second + second / 200)); // Too near to be sure.
    BOOST_TEST(began_after(1001 * second));
    BOOST_TEST(!h.is_before(1000 * second));
    BOOST_TEST(h.is_before(1000 * second + 1));
}

BOOST_AUTO_TEST_CASE(it_moves_forward_only) {
    h.move_to(2000 * second);
    BOOST_TEST(!began_after(1500 * second));
    BOOST_TEST(began_after(2001 * second));
    h.move_to(1000 * second);
    BOOST_TEST(!began_after(1500 * second));
}

// A start from before the clock was set back looks an hour later than it was.
BOOST_AUTO_TEST_CASE(a_clock_that_was_set_back_proves_nothing) {
    h.look(2000 * second, ahead - hour);
    BOOST_TEST(!began_after(900 * second));
    BOOST_TEST(!began_after(1500 * second)); // It did: but that might be one of the hour before.
    BOOST_TEST(!began_after(2100 * second, ahead - hour));
    BOOST_TEST(began_after(2001 * second + hour, ahead - hour)); // Later than any before.
    h.move_to(3000 * second + hour);
    BOOST_TEST(!began_after(2500 * second + hour, ahead - hour));
    BOOST_TEST(began_after(3001 * second + hour, ahead - hour));
}

BOOST_AUTO_TEST_CASE(set_back_twice_it_is_the_latest_that_counts) {
    h.look(2000 * second, ahead - hour);
    h.look(2000 * second + 3 * hour, ahead - 2 * hour);
    BOOST_TEST(!began_after(1900 * second + 3 * hour, ahead - hour));
    BOOST_TEST(!began_after(2001 * second + 3 * hour, ahead - 2 * hour));
    BOOST_TEST(began_after(2001 * second + 4 * hour, ahead - 2 * hour));
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_forward_makes_older) {
    h.look(2000 * second, ahead + hour);
    BOOST_TEST(!began_after(1500 * second));
    BOOST_TEST(began_after(2001 * second, ahead + hour));
}

// By 500 ppm, and a look each second.
BOOST_AUTO_TEST_CASE(a_clock_that_is_slewed_back_is_set_in_the_end) {
    std::uint64_t i = 1;
    for (; i <= 20; ++i) {
        h.look((1000 + i) * second, ahead - i * 500'000);
    }
    BOOST_TEST(began_after(1000 * second + second / 20));
    BOOST_TEST(!began_after(1000 * second)); // Which is 1000.01 s by now.
    for (; i <= 100; ++i) {
        h.look((1000 + i) * second, ahead - i * 500'000);
        BOOST_TEST(!began_after(1000 * second));
    }
    BOOST_TEST(began_after(1101 * second, ahead - i * 500'000));
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_forward_and_back_proves_nothing) {
    h.look(1100 * second, ahead + hour);
    h.look(1200 * second, ahead);
    BOOST_TEST(!began_after(900 * second, ahead + hour));
    BOOST_TEST(!began_after(1150 * second, ahead + hour)); // It did, but who knows.
    BOOST_TEST(!began_after(1300 * second));
    BOOST_TEST(began_after(1201 * second + hour));
}

BOOST_AUTO_TEST_CASE(a_record_may_hold_anything) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    BOOST_TEST(!h.began_after(0));
    BOOST_TEST(!h.began_after(1));
    BOOST_TEST(h.began_after(most));
    h.move_to(most);
    BOOST_TEST(!h.began_after(most));
    BOOST_TEST(!h.is_before(most));
}

BOOST_AUTO_TEST_SUITE_END()
