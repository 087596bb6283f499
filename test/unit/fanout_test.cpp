// SPDX-License-Identifier: Apache-2.0
#include "probe/fanout.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace {

using ctflow::consumer_mode;
using ctflow::error_code;
using ctflow::event;
using ctflow::event_kind;
using ctflow::detail::consumer_core;
using core_ptr = std::shared_ptr<consumer_core>;

// Events that can be told apart by their number.
std::vector<event> batch(event_kind kind, std::uint64_t first, std::size_t count) {
    std::vector<event> events;
    for (std::size_t i = 0; i < count; ++i) {
        ctflow_record r{};
        r.kind = static_cast<unsigned char>(kind) & 0xf;
        r.packets_orig = first + i;
        events.emplace_back(r);
    }
    return events;
}

std::vector<std::uint64_t> take(consumer_core& c) {
    std::vector<event> out(64);
    out.resize(c.pop(out));
    std::vector<std::uint64_t> numbers;
    numbers.reserve(out.size());
    for (const auto& e : out) {
        numbers.push_back(e.packets_orig());
    }
    return numbers;
}

using numbers = std::vector<std::uint64_t>;

struct counting_waiter final : ctflow::detail::receive_waiter {
    void notify() override { ++notified; }
    void destroy() noexcept override {}
    int notified = 0;
};

struct fixture {
    boost::asio::io_context context;
    ctflow::detail::registry registry;
    ctflow::detail::fanout fanout{registry};

    core_ptr add(const char* name, consumer_mode mode = consumer_mode::all,
                 std::size_t capacity = 16) {
        auto c = std::make_shared<consumer_core>(context, name, mode, capacity);
        error_code ec;
        registry.add(c, ec);
        BOOST_REQUIRE(!ec);
        return c;
    }

    void updates(std::uint64_t first, std::size_t count) {
        fanout.on_events(event_kind::update, batch(event_kind::update, first, count));
    }

    void destroys(std::uint64_t first, std::size_t count) {
        fanout.on_events(event_kind::destroy, batch(event_kind::destroy, first, count));
    }

    ctflow::probe_stats stats() const {
        ctflow::probe_stats s;
        fanout.read(s);
        return s;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(fanout, fixture)

BOOST_AUTO_TEST_CASE(each_consumer_gets_the_kinds_that_it_wants_in_order) {
    const auto u = add("u", consumer_mode::update);
    const auto d = add("d", consumer_mode::destroy);
    const auto all = add("all", consumer_mode::all);
    updates(1, 3);
    destroys(10, 2);
    updates(4, 1);
    BOOST_TEST(take(*u) == (numbers{1, 2, 3, 4}), boost::test_tools::per_element());
    BOOST_TEST(take(*d) == (numbers{10, 11}), boost::test_tools::per_element());
    BOOST_TEST(take(*all) == (numbers{1, 2, 3, 10, 11, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(events_come_as_they_were) {
    const auto a = add("a");
    destroys(77, 1);
    std::vector<event> out(1);
    BOOST_REQUIRE(a->pop(out) == 1U);
    BOOST_TEST((out[0].kind() == event_kind::destroy));
    BOOST_TEST(out[0].packets_orig() == 77U);
}

BOOST_AUTO_TEST_CASE(events_are_counted_once_however_many_consumers_there_are) {
    BOOST_TEST(stats().perf_events_total == 0U);
    updates(0, 3); // Without any consumer.
    add("a");
    add("b");
    updates(0, 4);
    destroys(0, 2);
    fanout.on_malformed(5);
    fanout.on_malformed(1);
    fanout.on_malformed(0);
    const auto s = stats();
    BOOST_TEST(s.perf_events_update == 7U);
    BOOST_TEST(s.perf_events_destroy == 2U);
    BOOST_TEST(s.perf_events_total == 9U);
    BOOST_TEST(s.perf_bytes_total == 9U * 104U);
    BOOST_TEST(s.perf_records_malformed == 6U);
}

BOOST_AUTO_TEST_CASE(reading_its_counters_leaves_those_of_others_alone) {
    ctflow::probe_stats s;
    s.perf_events_update_lost = 1;
    s.perf_events_destroy_lost = 2;
    s.flows_untracked = 3;
    fanout.read(s);
    BOOST_TEST(s.perf_events_update_lost == 1U);
    BOOST_TEST(s.perf_events_destroy_lost == 2U);
    BOOST_TEST(s.flows_untracked == 3U);
}

BOOST_AUTO_TEST_CASE(a_slow_consumer_loses_its_own_events_alone) {
    const auto slow = add("slow", consumer_mode::all, 4);
    const auto quick = add("quick", consumer_mode::all, 16);
    updates(1, 3);
    updates(4, 3);
    destroys(7, 2);

    BOOST_TEST(slow->stats().events_received == 4U);
    BOOST_TEST(slow->stats().events_lost == 4U);
    BOOST_TEST(slow->stats().event_queue_length == 4U);
    BOOST_TEST(quick->stats().events_received == 8U);
    BOOST_TEST(quick->stats().events_lost == 0U);
    BOOST_TEST(take(*slow) == (numbers{1, 2, 3, 4}), boost::test_tools::per_element());
    BOOST_TEST(take(*quick).size() == 8U);
    BOOST_TEST(stats().perf_events_total == 8U); // The probe has lost nothing.

    // With room again, it goes on.
    updates(9, 1);
    BOOST_TEST(take(*slow) == (numbers{9}), boost::test_tools::per_element());
    BOOST_TEST(slow->stats().events_received == 5U);
    BOOST_TEST(slow->stats().events_lost == 4U);
}

BOOST_AUTO_TEST_CASE(events_that_a_consumer_does_not_want_are_not_lost_to_it) {
    const auto d = add("d", consumer_mode::destroy, 1);
    updates(1, 5);
    BOOST_TEST(d->stats().events_received == 0U);
    BOOST_TEST(d->stats().events_lost == 0U);
}

BOOST_AUTO_TEST_CASE(a_consumer_gets_what_comes_after_its_registration) {
    const auto early = add("early");
    updates(1, 1);
    const auto late = add("late");
    updates(2, 1);
    BOOST_TEST(take(*early) == (numbers{1, 2}), boost::test_tools::per_element());
    BOOST_TEST(take(*late) == (numbers{2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_removed_consumer_gets_no_more_and_keeps_what_it_has) {
    const auto a = add("a");
    const auto b = add("b");
    updates(1, 2);
    error_code ec;
    registry.remove("a", ec);
    BOOST_REQUIRE(!ec);
    updates(3, 2);
    fanout.flush();
    BOOST_TEST(take(*a) == (numbers{1, 2}), boost::test_tools::per_element());
    BOOST_TEST(a->closed());
    BOOST_TEST(take(*b) == (numbers{1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_consumer_that_closes_itself_gets_no_more) {
    const auto a = add("a");
    updates(1, 1);
    a->close();
    updates(2, 1); // Before anything was flushed.
    BOOST_TEST(take(*a) == (numbers{1}), boost::test_tools::per_element());
    BOOST_TEST(a->stats().events_received == 1U);
    BOOST_TEST(a->stats().events_lost == 0U);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_closes_itself_is_forgotten_at_the_next_flush) {
    auto a = add("a");
    const auto b = add("b");
    updates(1, 1);
    a->close();
    fanout.flush();
    BOOST_TEST((registry.list() == std::vector{b}));

    const std::weak_ptr<consumer_core> watch = a;
    a.reset();
    BOOST_TEST(watch.expired()); // Nobody holds its memory.
}

BOOST_AUTO_TEST_CASE(a_consumer_that_closes_before_its_first_event_is_forgotten_as_well) {
    auto a = add("a");
    a->close();
    updates(1, 1);
    fanout.flush();
    BOOST_TEST(registry.list().empty());

    const std::weak_ptr<consumer_core> watch = a;
    a.reset();
    BOOST_TEST(watch.expired());
}

BOOST_AUTO_TEST_CASE(a_removed_consumers_memory_goes_at_the_next_flush) {
    auto a = add("a");
    updates(1, 1);
    error_code ec;
    registry.remove("a", ec);
    fanout.flush();
    const std::weak_ptr<consumer_core> watch = a;
    a.reset();
    BOOST_TEST(watch.expired());
}

BOOST_AUTO_TEST_CASE(who_waits_is_told_once_a_batch) {
    const auto a = add("a");
    counting_waiter waiter;
    a->wait(waiter);
    updates(1, 2);
    updates(3, 2);
    destroys(5, 1);
    BOOST_TEST(waiter.notified == 0);
    fanout.flush();
    BOOST_TEST(waiter.notified == 1);
    fanout.flush();
    BOOST_TEST(waiter.notified == 1);
    BOOST_TEST(take(*a).size() == 5U);
}

BOOST_AUTO_TEST_CASE(closing_closes_all_consumers_and_lets_go_of_them) {
    auto a = add("a");
    auto b = add("b");
    counting_waiter waiter;
    b->wait(waiter);
    updates(1, 1);
    fanout.close();
    BOOST_TEST(a->closed());
    BOOST_TEST(b->closed());
    BOOST_TEST(waiter.notified == 1);
    BOOST_TEST(registry.list().empty());
    BOOST_TEST(take(*a) == (numbers{1}), boost::test_tools::per_element());

    const std::weak_ptr<consumer_core> watch = a;
    a.reset();
    BOOST_TEST(watch.expired());

    // The counters go on over a new start.
    add("a");
    updates(2, 1);
    BOOST_TEST(stats().perf_events_update == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_consumer_that_got_nothing_is_not_woken, fixture) {
    const auto c = add("destroys", consumer_mode::destroy);
    counting_waiter waiter;
    c->wait(waiter);
    fanout.on_events(event_kind::update, batch(event_kind::update, 1, 3));
    fanout.flush();
    BOOST_TEST(waiter.notified == 0);
    fanout.on_events(event_kind::destroy, batch(event_kind::destroy, 4, 1));
    fanout.flush();
    BOOST_TEST(waiter.notified == 1);
}

BOOST_FIXTURE_TEST_CASE(consumers_come_and_go_on_another_thread_while_events_flow, fixture) {
    const auto lasting = add("lasting", consumer_mode::all, 1U << 16);
    std::atomic<bool> stop{false};
    std::thread other([&] {
        while (!stop) {
            const auto passing = add("passing");
            (void)registry.find("passing");
            error_code ec;
            if (registry.generation() % 2 == 0) {
                passing->close();
            } else {
                registry.remove("passing", ec);
            }
        }
    });
    constexpr std::uint64_t batches = 2000;
    for (std::uint64_t i = 0; i < batches; ++i) {
        fanout.on_events(event_kind::update, batch(event_kind::update, i, 8));
        fanout.flush();
    }
    stop = true;
    other.join();
    BOOST_TEST(lasting->stats().events_received == 8 * batches);
    BOOST_TEST(lasting->stats().events_lost == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
