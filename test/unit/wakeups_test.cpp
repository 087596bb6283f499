// SPDX-License-Identifier: Apache-2.0
//
// When a reader is told of records by a wake-up, and when it looks by itself. That no record is
// left behind by a real kernel: kernel/reader_test.cpp, no_moment_is_a_bad_one_for_an_event.
#include "transport/pace.hpp"
#include "unit/reader_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

using namespace ctflow;
using namespace std::chrono_literals;
using transport::pace;

namespace {

constexpr auto many = std::uint64_t{pace::many};

struct fixture : test::reader_fixture {
    explicit fixture(std::chrono::nanoseconds interval = 20ms) : reader_fixture(nullptr, interval) {
        run();
        ctx.poll();
    }

    void write_and_wake(std::uint64_t count) {
        write(count);
        wake();
        wait_for(last);
    }

    void wait_for_sleep() {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (awake != 0 && std::chrono::steady_clock::now() < deadline) {
            ctx.restart();
            ctx.run_one_for(100ms);
        }
        BOOST_TEST(awake == 0U);
    }
};

struct without_interval : fixture {
    without_interval() : fixture(0ns) {}
};

constexpr pace::time_point at(std::chrono::microseconds t) {
    return pace::time_point(1h + t);
}

} // namespace

BOOST_AUTO_TEST_SUITE(wakeups)

BOOST_AUTO_TEST_CASE(what_comes_fast_within_an_interval_is_fast) {
    pace p(500us, 1000);
    for (std::size_t i = 1; i < pace::many; ++i) {
        BOOST_TEST(!p.fast(1, at(20us)));
    }
    BOOST_TEST(p.fast(1, at(499us)));
    BOOST_TEST(p.fast(0, at(519us))); // The first came at 20.
    BOOST_TEST(!p.fast(pace::many - 1, at(520us)));
    BOOST_TEST(p.fast(pace::many, at(2000us)));
    BOOST_TEST(!p.fast(0, at(2500us)));
}

BOOST_AUTO_TEST_CASE(what_comes_one_at_a_time_is_not) {
    pace p(500us, 1000);
    for (int i = 0; i < 1000; ++i) {
        BOOST_REQUIRE(!p.fast(1, at(i * 30us)));
    }
}

BOOST_AUTO_TEST_CASE(without_an_interval_nothing_is) {
    pace p(0ns, 1000);
    BOOST_TEST(!p.fast(1000, at(1us)));
    BOOST_TEST(!p.fast(1000, at(1us)));
}

BOOST_AUTO_TEST_CASE(it_rests_less_where_a_ring_would_fill_up) {
    pace p(500us, 4000);
    BOOST_TEST((p.rest(0) == 500us));
    BOOST_TEST((p.rest(1000) == 500us)); // A quarter.
    BOOST_TEST((p.rest(4000) == 125us));
    BOOST_TEST((p.rest(1250) == 100us));
    BOOST_TEST((p.rest(1000) == 200us));
    BOOST_TEST((p.rest(10) == 400us));
    BOOST_TEST((p.rest(10) == 500us));
    for (int i = 0; i < 20; ++i) {
        p.rest(4000);
    }
    BOOST_TEST((p.rest(4000) == 10us)); // There is an end to it.

    pace tiny(5us, 1);
    BOOST_TEST((tiny.rest(100) == 5us));
}

BOOST_FIXTURE_TEST_CASE(few_records_are_told_by_a_wake_up_each, fixture) {
    for (std::uint64_t i = 1; i < many; ++i) {
        write_and_wake(1);
        BOOST_TEST(awake == 0U);
    }
    BOOST_TEST(sink->numbers.size() == many - 1);
    finish();
}

BOOST_FIXTURE_TEST_CASE(after_many_it_looks_by_itself_until_there_are_few, fixture) {
    write_and_wake(many);
    BOOST_TEST(awake == 1U);
    for (int i = 0; i < 3; ++i) {
        write(many); // Which wake nobody.
        wait_for(last);
        BOOST_TEST(sink->numbers.size() == last);
        BOOST_TEST(awake == 1U);
    }
    write(1);
    wait_for(last);
    BOOST_TEST(sink->numbers.size() == last);
    wait_for_sleep();
    write_and_wake(1);
    BOOST_TEST(sink->numbers.size() == last);
    BOOST_TEST(awake == 0U);
    finish();
}

BOOST_FIXTURE_TEST_CASE(it_does_not_sleep_while_a_record_is_under_way, fixture) {
    write_and_wake(many);
    state.word = 1; // A CPU that saw it awake, and was interrupted before it wrote.
    for (int i = 0; i < 10; ++i) {
        ctx.restart();
        ctx.run_for(10ms);
        BOOST_REQUIRE(awake == 1U);
    }
    write(1);
    state.word = 0;
    wait_for(last);
    BOOST_TEST(sink->numbers.size() == last);
    wait_for_sleep();
    finish();
}

BOOST_FIXTURE_TEST_CASE(nor_while_there_is_one_that_it_cannot_read_yet, fixture) {
    write_and_wake(many);
    const auto unfinished = reserve(++last);
    for (int i = 0; i < 10; ++i) {
        ctx.restart();
        ctx.run_for(10ms);
        BOOST_REQUIRE(awake == 1U);
    }
    commit(unfinished);
    wait_for(last);
    BOOST_TEST(sink->numbers.size() == last);
    wait_for_sleep();
    finish();
}

BOOST_FIXTURE_TEST_CASE(without_an_interval_it_is_woken_for_each, without_interval) {
    write_and_wake(5 * many);
    BOOST_TEST(awake == 0U);
    finish();
}

BOOST_FIXTURE_TEST_CASE(it_does_not_end_awake, fixture) {
    write_and_wake(many);
    BOOST_TEST(awake == 1U);
    finish();
    BOOST_TEST(awake == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
