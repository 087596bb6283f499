// SPDX-License-Identifier: Apache-2.0
#include "event/trailer_pool.hpp"
#include "support/failing_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <sys/socket.h>

namespace {

using ctflow::event;
using pool_type = ctflow::trailer_pool;

ctflow_record record() {
    ctflow_record r{};
    r.kind = CTFLOW_RECORD_UPDATE;
    r.family = AF_INET;
    return r;
}

ctflow_trailer numbered(std::uint16_t number) {
    ctflow_trailer t{};
    t.parts = CTFLOW_TRAILER_STATUS;
    t.zone = number;
    return t;
}

} // namespace

BOOST_AUTO_TEST_SUITE(trailer_pool)

BOOST_AUTO_TEST_CASE(an_event_without_parts_needs_none) {
    pool_type pool;
    ctflow_trailer t{};
    t.duration = 5;
    const auto e = pool.make(record(), t);
    BOOST_TEST(!e.has_details());
    BOOST_TEST(e.duration()->count() == 5);
}

BOOST_AUTO_TEST_CASE(memory_that_was_given_back_is_used_again) {
    pool_type pool;
    const void* first = nullptr;
    {
        const auto e = pool.make(record(), numbered(1));
        first = e.trailer();
    }
    const auto a = pool.make(record(), numbered(2));
    const auto b = pool.make(record(), numbered(3));
    BOOST_TEST(a.trailer() == first);
    BOOST_TEST(b.trailer() != first);
    BOOST_TEST(a.zone() == 2);
    BOOST_TEST(b.zone() == 3);
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_once_there_were_as_many) {
    pool_type pool;
    std::vector<event> all(100);
    const auto fill = [&] {
        for (auto& e : all) {
            e = pool.make(record(), numbered(1));
        }
    };
    fill();
    all.assign(100, event());
    BOOST_TEST(ctflow::test::requests_of(fill).empty());
}

BOOST_AUTO_TEST_CASE(an_event_may_outlive_it) {
    std::optional<pool_type> pool(std::in_place);
    const auto e = pool->make(record(), numbered(7));
    pool.reset();
    BOOST_TEST(e.zone() == 7);
}

// What another thread gives back, while this one takes.
BOOST_AUTO_TEST_CASE(events_end_on_any_thread) {
    constexpr std::uint16_t rounds = 20'000;
    pool_type pool;
    std::vector<event> slots(16);
    std::vector<std::atomic<bool>> full(slots.size());
    std::atomic<std::uint64_t> sum{0};
    const auto end_half = [&](std::size_t first) {
        for (std::uint16_t i = 0; i < rounds / 2; ++i) {
            const auto slot = (first + std::size_t{2} * i) % slots.size();
            while (!full[slot].load(std::memory_order_acquire)) {
                std::this_thread::yield();
            }
            sum += slots[slot].zone();
            slots[slot] = event();
            full[slot].store(false, std::memory_order_release);
        }
    };
    std::thread even(end_half, 0);
    std::thread odd(end_half, 1);
    std::uint64_t expected = 0;
    for (std::uint16_t i = 0; i < rounds; ++i) {
        const auto slot = i % slots.size();
        while (full[slot].load(std::memory_order_acquire)) {
            std::this_thread::yield();
        }
        slots[slot] = pool.make(record(), numbered(i));
        full[slot].store(true, std::memory_order_release);
        expected += i;
    }
    even.join();
    odd.join();
    BOOST_TEST(sum.load() == expected);
}

BOOST_AUTO_TEST_SUITE_END()
