// SPDX-License-Identifier: Apache-2.0
//
// Every event that is sent is delivered to each consumer, or counted in one place. Under overload,
// on real buffers of the running kernel, from the probe's own code on both of their ends.
#include "host/locked_memory.hpp"
#include "kernel/ledger.hpp"
#include "support/cpus.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace data = boost::unit_test::data;
using namespace ctflow;
using namespace std::chrono_literals;
using test::ledger;
using test::pace;
using test::transports;

BOOST_AUTO_TEST_SUITE(books)

BOOST_DATA_TEST_CASE(every_event_is_delivered_or_counted_once,
                     data::make(transports) * data::make(std::array{1, 4}) *
                         data::make(std::array{pace::fast, pace::slow, pace::stopped}),
                     kind, consumers, how) {
    ledger b(kind, 8, 1); // Small, so that they overflow.
    for (int i = 0; i < consumers; ++i) {
        b.add(i == 0 ? how : pace::fast);
    }
    b.run();
    std::uint64_t updates = 0;
    std::uint64_t destroys = 0;
    std::atomic<bool> done = false;
    std::thread sender([&] {
        test::stay_on_cpu(0);
        const auto end = std::chrono::steady_clock::now() + 300ms;
        while (std::chrono::steady_clock::now() < end) {
            b.source.emit(1000);
            b.source.emit(100, event_kind::destroy);
            updates += 1000;
            destroys += 100;
        }
        done = true;
    });
    while (!done) {
        b.ctx.restart();
        b.ctx.run_for(5ms);
        std::this_thread::sleep_for(1ms); // So that the rings overflow in any case.
    }
    sender.join();
    b.finish();
    b.check(updates, destroys);
    BOOST_TEST(b.stats().perf_events_update_lost > 0U);
    if (how == pace::stopped) {
        BOOST_TEST(b.customers.front()->of().stats().events_lost > 0U);
    }
    BOOST_TEST_MESSAGE(updates << " updates, " << b.stats().perf_events_update_lost << " lost; "
                               << destroys << " destroys, " << b.stats().perf_events_destroy_lost
                               << " lost");
}

// While the reader is stalled, by more than their ring holds, and in the middle of updates that
// push each other out.
BOOST_DATA_TEST_CASE(destroys_survive_where_updates_are_dropped, data::make(transports), kind) {
    ledger b(kind, host::with_sizes({}).buffer_pages, config{}.reserve_pages);
    b.add(pace::fast, 65536);
    b.run();
    b.ctx.poll();
    std::uint64_t updates = 0;
    for (int i = 0; i < 10; ++i) {
        b.source.emit(1000, event_kind::destroy);
        for (int k = 0; k < 10; ++k) {
            b.source.emit(1000);
            updates += 1000;
        }
    }
    std::this_thread::sleep_for(1s);
    b.finish();
    b.check(updates, 10'000);
    const auto s = b.stats();
    BOOST_TEST(s.perf_events_update_lost > 0U);
    BOOST_TEST(s.perf_events_destroy == 10'000U);
    BOOST_TEST(s.perf_events_destroy_lost == 0U);
    BOOST_TEST(s.destroys_in_reserve > 0U);
    BOOST_TEST(b.customers.front()->destroys() == 10'000U);
}

BOOST_DATA_TEST_CASE(a_reserve_that_is_full_is_counted_too, data::make(transports), kind) {
    ledger b(kind, 1, 1);
    b.add(pace::fast);
    BOOST_TEST(b.source.emit(1000, event_kind::destroy) < 200U);
    b.run();
    b.finish();
    b.check(0, 1000);
    BOOST_TEST(b.stats().destroys_in_reserve > 0U);
    BOOST_TEST(b.stats().perf_events_destroy_lost > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
