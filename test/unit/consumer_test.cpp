// SPDX-License-Identifier: Apache-2.0
#include "support/events.hpp"
#include "support/sanitizers.hpp"

#include <ctflow/consumer.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using namespace ctflow;
using namespace std::chrono_literals;
using test::numbered;
using test::numbered_from;

namespace {

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

// The probe's part: one thread puts events in and signals.
void feed(consumer& c, const std::vector<event>& events) {
    c.core()->push(events);
    c.core()->flush();
}

struct outcome {
    std::optional<error_code> ec;
    std::size_t count = 0;

    auto handler() {
        return [this](error_code e, std::size_t n) {
            BOOST_TEST(!ec.has_value()); // Once.
            ec = e;
            count = n;
        };
    }
};

// An executor of a context whose execute() takes a while to return when the work is done already.
struct tardy_executor {
    asio::io_context::executor_type inner;
    std::latch* posted;
    std::atomic<bool>* returned;

    asio::execution_context& query(asio::execution::context_t) const noexcept {
        return inner.context();
    }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
        return asio::execution::blocking.never;
    }
    template <class Work>
    void execute(Work&& work) const {
        const tardy_executor self = *this; // What calls this may be gone when the work is done.
        asio::post(inner, std::forward<Work>(work));
        self.posted->count_down();
        std::this_thread::sleep_for(50ms);
        *self.returned = true;
    }
    bool operator==(const tardy_executor& other) const noexcept { return inner == other.inner; }
    bool operator!=(const tardy_executor& other) const noexcept { return !(*this == other); }
};

// One that has no room for anything.
struct full_executor {
    asio::io_context* ctx;

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *ctx; }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
        return asio::execution::blocking.never;
    }
    template <class Work>
    void execute(Work&&) const {
        throw std::bad_alloc();
    }
    bool operator==(const full_executor&) const noexcept = default;
};

} // namespace

BOOST_AUTO_TEST_SUITE(consumer)

BOOST_AUTO_TEST_CASE(has_the_name_mode_and_executor_it_was_given) {
    asio::io_context ctx;
    const ctflow::consumer c(ctx, "a", consumer_mode::destroy, 8);
    BOOST_TEST(c.name() == "a");
    BOOST_TEST((c.mode() == consumer_mode::destroy));
    BOOST_TEST((c.get_executor() == asio::any_io_executor(ctx.get_executor())));
}

BOOST_AUTO_TEST_CASE(try_receive_takes_events_in_order) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    feed(c, numbered_from(1, 5));
    std::array<event, 3> out;
    BOOST_TEST(c.try_receive(out) == 3U);
    BOOST_TEST(out[2].conntrack() == 3U);
    BOOST_TEST(c.try_receive(out) == 2U);
    BOOST_TEST(out[1].conntrack() == 5U);
    BOOST_TEST(c.try_receive(out) == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_queue_loses_the_newest_and_counts_them) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a", consumer_mode::all, 4);
    feed(c, numbered_from(1, 6));
    const auto s = c.stats();
    BOOST_TEST(s.events_received == 4U);
    BOOST_TEST(s.events_lost == 2U);
    BOOST_TEST(s.event_queue_length == 4U);
    std::array<event, 8> out;
    BOOST_TEST(c.try_receive(out) == 4U);
    BOOST_TEST(out[3].conntrack() == 4U);
}

BOOST_AUTO_TEST_CASE(a_receive_waits_for_the_signal_and_takes_all_there_is) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 8> out;
    outcome o;
    c.async_receive(out, o.handler());
    ctx.poll();
    BOOST_TEST(!o.ec.has_value());
    feed(c, numbered_from(1, 3));
    ctx.run();
    BOOST_TEST(!o.ec.value());
    BOOST_TEST(o.count == 3U);
    BOOST_TEST(out[2].conntrack() == 3U);
}

BOOST_AUTO_TEST_CASE(a_handler_is_never_called_inside_the_initiating_function) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    feed(c, numbered_from(1, 1));
    std::array<event, 8> out;
    outcome o;
    asio::post(ctx, [&] { // Where a dispatch would call it at once.
        c.async_receive(out, o.handler());
        BOOST_TEST(!o.ec.has_value());
    });
    ctx.run();
    BOOST_TEST(o.count == 1U);
}

BOOST_AUTO_TEST_CASE(nor_inside_the_producers_signal) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 8> out;
    outcome o;
    c.async_receive(out, o.handler());
    asio::post(ctx, [&] {
        feed(c, numbered_from(1, 1));
        BOOST_TEST(!o.ec.has_value());
    });
    ctx.run();
    BOOST_TEST(o.count == 1U);
}

BOOST_AUTO_TEST_CASE(a_handler_runs_on_its_associated_executor) {
    asio::io_context ctx;
    asio::io_context other;
    ctflow::consumer c(ctx, "a");
    std::array<event, 8> out;
    outcome o;
    c.async_receive(out, asio::bind_executor(other.get_executor(), o.handler()));
    feed(c, numbered_from(1, 1));
    ctx.poll();
    BOOST_TEST(!o.ec.has_value());
    other.run(); // Outstanding work kept it from having nothing to do.
    BOOST_TEST(o.count == 1U);
}

BOOST_AUTO_TEST_CASE(an_outstanding_receive_is_work_for_both_contexts) {
    asio::io_context ctx;
    asio::io_context other;
    ctflow::consumer c(ctx, "a");
    std::array<event, 8> out;
    outcome o;
    c.async_receive(out, asio::bind_executor(other.get_executor(), o.handler()));
    ctx.poll();
    other.poll();
    BOOST_TEST(!ctx.stopped());
    BOOST_TEST(!other.stopped());
    feed(c, numbered_from(1, 1));
    other.run();
    ctx.restart();
    ctx.poll();
    BOOST_TEST(ctx.stopped());
}

BOOST_AUTO_TEST_CASE(a_cancelled_receive_takes_nothing) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 8> out;
    outcome o;
    asio::cancellation_signal signal;
    c.async_receive(out, asio::bind_cancellation_slot(signal.slot(), o.handler()));
    signal.emit(asio::cancellation_type::total);
    feed(c, numbered_from(1, 3));
    ctx.run();
    BOOST_TEST((o.ec == asio::error::operation_aborted));
    BOOST_TEST(o.count == 0U);
    BOOST_TEST(c.try_receive(out) == 3U);
}

BOOST_AUTO_TEST_CASE(a_cancellation_after_the_signal_but_before_the_handler_takes_nothing) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 8> out;
    outcome o;
    asio::cancellation_signal signal;
    c.async_receive(out, asio::bind_cancellation_slot(signal.slot(), o.handler()));
    feed(c, numbered_from(1, 3));
    signal.emit(asio::cancellation_type::total);
    ctx.run();
    BOOST_TEST((o.ec == asio::error::operation_aborted));
    BOOST_TEST(c.try_receive(out) == 3U);
}

BOOST_AUTO_TEST_CASE(a_consumer_can_receive_again_after_a_cancellation) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 8> out;
    outcome first;
    c.async_receive(out, first.handler());
    c.cancel();
    ctx.run();
    BOOST_TEST((first.ec == asio::error::operation_aborted));
    ctx.restart();
    outcome second;
    c.async_receive(out, second.handler());
    feed(c, numbered_from(1, 2));
    ctx.run();
    BOOST_TEST(second.count == 2U);
}

BOOST_AUTO_TEST_CASE(cancel_reaches_a_receive_whose_events_are_there_already) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    feed(c, numbered_from(1, 3));
    std::array<event, 8> out;
    outcome o;
    c.async_receive(out, o.handler());
    c.cancel();
    ctx.run();
    BOOST_TEST((o.ec == asio::error::operation_aborted));
    BOOST_TEST(c.try_receive(out) == 3U);
}

BOOST_AUTO_TEST_CASE(cancel_reaches_a_receive_whose_events_somebody_else_took) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 8> out;
    outcome o;
    c.async_receive(out, o.handler());
    feed(c, numbered_from(1, 3));
    BOOST_TEST(c.try_receive(out) == 3U);
    c.cancel();
    ctx.run();
    BOOST_TEST((o.ec == asio::error::operation_aborted));
}

BOOST_AUTO_TEST_CASE(a_cancel_with_nothing_outstanding_does_not_touch_the_next_receive) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    c.cancel();
    std::array<event, 8> out;
    outcome o;
    c.async_receive(out, o.handler());
    feed(c, numbered_from(1, 3));
    ctx.run();
    BOOST_TEST(o.count == 3U);
}

BOOST_AUTO_TEST_CASE(a_type_erased_handler_will_do) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    feed(c, numbered_from(1, 3));
    std::array<event, 8> out;
    outcome o;
    asio::any_completion_handler<void(error_code, std::size_t)> handler(o.handler());
    c.async_receive(out, std::move(handler));
    BOOST_TEST(!o.ec.has_value());
    ctx.run();
    BOOST_TEST(o.count == 3U);
}

BOOST_AUTO_TEST_CASE(an_absurd_capacity_is_refused) {
    asio::io_context ctx;
    BOOST_CHECK_THROW(ctflow::consumer(ctx, "a", consumer_mode::all, SIZE_MAX), std::length_error);
}

BOOST_AUTO_TEST_CASE(a_consumer_may_end_beside_its_context) {
    // The probe, on its own thread, holds the last reference while the consumer's context ends.
    for (int i = 0; i < 300; ++i) {
        std::shared_ptr<detail::consumer_core> core;
        auto ctx = std::make_unique<asio::io_context>();
        {
            const ctflow::consumer c(*ctx, "a", consumer_mode::all, 16);
            core = c.core();
        }
        std::latch both(2);
        std::thread probe([&] {
            both.arrive_and_wait();
            core.reset();
        });
        both.arrive_and_wait();
        ctx.reset();
        probe.join();
    }
}

BOOST_AUTO_TEST_CASE(a_chain_of_receives_needs_no_strand) {
    asio::thread_pool pool(3);
    constexpr int rounds = 2000;
    std::atomic<int> done{0};
    for (int i = 0; i < rounds; ++i) {
        // The coroutine resumes, and destroys its consumer, while the thread that made it wait is
        // perhaps still on its way back.
        asio::co_spawn(
            pool,
            [&]() -> asio::awaitable<void> {
                auto c = std::make_unique<ctflow::consumer>(co_await asio::this_coro::executor, "a",
                                                            consumer_mode::all, 16);
                asio::post(pool, [core = c->core()] {
                    core->push(numbered_from(1, 1));
                    core->flush();
                });
                const event e = co_await c->async_receive();
                done += e.conntrack() == 1 ? 1 : 0;
            },
            asio::detached);
    }
    pool.join();
    BOOST_TEST(done == rounds);
}

BOOST_AUTO_TEST_CASE(a_second_receive_is_refused_and_the_first_goes_on) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 8> out;
    outcome first;
    outcome second;
    c.async_receive(out, first.handler());
    c.async_receive(out, second.handler());
    ctx.poll();
    BOOST_TEST((second.ec == errc::receive_outstanding));
    BOOST_TEST(!first.ec.has_value());
    feed(c, numbered_from(1, 2));
    ctx.run();
    BOOST_TEST(first.count == 2U);
}

BOOST_AUTO_TEST_CASE(an_empty_buffer_is_refused) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    feed(c, numbered_from(1, 2));
    outcome o;
    c.async_receive(std::span<event>(), o.handler());
    ctx.run();
    BOOST_TEST((o.ec == asio::error::invalid_argument));
}

BOOST_AUTO_TEST_CASE(what_is_buffered_can_be_received_after_close_then_it_is_closed) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    feed(c, numbered_from(1, 3));
    c.close();
    std::array<event, 2> out;
    for (const std::size_t expected : {2U, 1U}) {
        outcome o;
        c.async_receive(out, o.handler());
        ctx.run();
        ctx.restart();
        BOOST_TEST(!o.ec.value());
        BOOST_TEST(o.count == expected);
    }
    outcome o;
    c.async_receive(out, o.handler());
    ctx.run();
    BOOST_TEST((o.ec == errc::consumer_closed));
}

BOOST_AUTO_TEST_CASE(close_completes_a_waiting_receive) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 2> out;
    outcome o;
    c.async_receive(out, o.handler());
    c.close();
    ctx.run();
    BOOST_TEST((o.ec == errc::consumer_closed));
}

BOOST_AUTO_TEST_CASE(destroying_a_consumer_aborts_its_receive) {
    asio::io_context ctx;
    std::array<event, 2> out;
    outcome o;
    {
        ctflow::consumer c(ctx, "a");
        c.async_receive(out, o.handler());
    }
    BOOST_TEST(!o.ec.has_value());
    ctx.run();
    BOOST_TEST((o.ec == asio::error::operation_aborted));
}

BOOST_AUTO_TEST_CASE(a_receive_survives_the_move_of_its_consumer) {
    asio::io_context ctx;
    auto c = std::make_unique<ctflow::consumer>(ctx, "a");
    std::array<event, 2> out;
    outcome o;
    c->async_receive(out, o.handler());
    ctflow::consumer moved(std::move(*c));
    c.reset();
    feed(moved, numbered_from(1, 1));
    ctx.run();
    BOOST_TEST(o.count == 1U);
}

BOOST_AUTO_TEST_CASE(assigning_to_a_consumer_aborts_what_it_had_outstanding) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 2> out;
    outcome o;
    c.async_receive(out, o.handler());
    c = ctflow::consumer(ctx, "b");
    ctx.run();
    BOOST_TEST((o.ec == asio::error::operation_aborted));
    BOOST_TEST(c.name() == "b");
}

BOOST_AUTO_TEST_CASE(a_receive_that_finds_its_events_gone_waits_on) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 2> out;
    outcome o;
    c.async_receive(out, o.handler());
    feed(c, numbered_from(1, 1));
    BOOST_TEST(c.try_receive(out) == 1U);
    ctx.poll();
    BOOST_TEST(!o.ec.has_value());
    feed(c, numbered_from(2, 1));
    ctx.run();
    BOOST_TEST(o.count == 1U);
    BOOST_TEST(out[0].conntrack() == 2U);
}

BOOST_AUTO_TEST_CASE(one_event_is_received_by_the_single_form) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    feed(c, numbered_from(7, 2));
    auto future = c.async_receive(asio::use_future);
    ctx.run();
    BOOST_TEST(future.get().conntrack() == 7U);
    std::array<event, 2> out;
    BOOST_TEST(c.try_receive(out) == 1U);
}

BOOST_AUTO_TEST_CASE(both_forms_can_be_awaited_without_a_token) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    feed(c, numbered_from(1, 3));
    std::size_t received = 0;
    asio::co_spawn(
        ctx,
        [&]() -> asio::awaitable<void> {
            const event one = co_await c.async_receive();
            BOOST_TEST(one.conntrack() == 1U);
            std::vector<event> out(8);
            received = co_await c.async_receive(out);
        },
        [](const std::exception_ptr& e) { BOOST_TEST(!e); });
    ctx.run();
    BOOST_TEST(received == 2U);
}

// Counts what is allocated through it, and what is still.
template <class T>
struct counting_allocator {
    using value_type = T;

    explicit counting_allocator(std::array<int, 2>& c) : counts(&c) {}
    template <class U>
    counting_allocator(const counting_allocator<U>& other) : counts(other.counts) {}

    T* allocate(std::size_t n) {
        ++(*counts)[0];
        ++(*counts)[1];
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) {
        --(*counts)[1];
        std::allocator<T>().deallocate(p, n);
    }
    bool operator==(const counting_allocator& other) const { return counts == other.counts; }

    std::array<int, 2>* counts;
};

BOOST_AUTO_TEST_CASE(the_associated_allocator_is_used_and_its_memory_free_when_the_handler_runs) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a");
    std::array<event, 2> out;
    std::array<int, 2> counts{};
    bool called = false;
    c.async_receive(
        out, asio::bind_allocator(counting_allocator<void*>(counts), [&](error_code, std::size_t) {
            called = true;
            BOOST_TEST(counts[1] == 0);
        }));
    BOOST_TEST(counts[0] == 1);
    feed(c, numbered_from(1, 1));
    ctx.run();
    BOOST_TEST(called);
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_frees_a_coroutine_that_owns_its_consumer) {
    auto witness = std::make_shared<int>();
    const std::weak_ptr<int> alive = witness;
    {
        asio::io_context ctx;
        asio::co_spawn(
            ctx,
            [&ctx, witness = std::move(witness)]() -> asio::awaitable<void> {
                ctflow::consumer c(ctx, "a");
                co_await c.async_receive();
            },
            asio::detached);
        ctx.poll();
        BOOST_TEST(!alive.expired());
    }
    BOOST_TEST(alive.expired());
}

BOOST_AUTO_TEST_CASE(racing_a_receive_against_a_timer_loses_no_event) {
    using namespace asio::experimental::awaitable_operators;
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a", consumer_mode::all, 64);
#if defined(CTFLOW_TEST_WITH_ASAN) || defined(CTFLOW_TEST_WITH_TSAN)
    constexpr std::uint64_t rounds = 5000;
#else
    constexpr std::uint64_t rounds = 100'000;
#endif
    std::uint64_t next = 1;
    std::uint64_t timeouts = 0;
    asio::co_spawn(
        ctx,
        [&]() -> asio::awaitable<void> {
            asio::steady_timer timer(ctx);
            std::array<event, 8> out;
            for (std::uint64_t i = 1; i <= rounds; ++i) {
                // Both become ready in the same turn of the reactor, in either order.
                timer.expires_after(0s);
                if (i % 2 == 0) {
                    asio::post(ctx, [&c, i] { feed(c, {numbered(i)}); });
                } else {
                    feed(c, {numbered(i)});
                }
                const auto first =
                    co_await (c.async_receive(out, as_tuple) || timer.async_wait(as_tuple));
                if (first.index() == 1) {
                    ++timeouts;
                    continue;
                }
                const auto [ec, n] = std::get<0>(first);
                for (std::size_t k = 0; !ec && k < n; ++k) {
                    BOOST_REQUIRE_EQUAL(out[k].conntrack(), next++);
                }
            }
        },
        [](const std::exception_ptr& e) { BOOST_TEST(!e); });
    ctx.run();
    std::array<event, 64> rest;
    const auto n = c.try_receive(rest);
    for (std::size_t k = 0; k < n; ++k) {
        BOOST_REQUIRE_EQUAL(rest[k].conntrack(), next++);
    }
    BOOST_TEST(next == rounds + 1);
    BOOST_TEST(timeouts != 0U); // Else this raced nothing.
}

BOOST_AUTO_TEST_CASE(a_producer_on_another_thread_and_a_receiver_lose_nothing_between_them) {
    asio::io_context ctx;
    ctflow::consumer c(ctx, "a", consumer_mode::all, 1024);
    constexpr std::uint64_t total = 200'000;
    std::uint64_t next = 1;
    asio::co_spawn(
        ctx,
        [&]() -> asio::awaitable<void> {
            std::vector<event> out(100);
            while (next <= total) {
                const auto n = co_await c.async_receive(out);
                for (std::size_t i = 0; i < n; ++i) {
                    BOOST_REQUIRE_EQUAL(out[i].conntrack(), next++);
                }
            }
        },
        [](const std::exception_ptr& e) { BOOST_TEST(!e); });
    std::thread producer([&] {
        for (std::uint64_t sent = 1; sent <= total;) {
            const auto room = 1024 - c.stats().event_queue_length;
            const auto n = std::min<std::uint64_t>({room, 1 + sent % 7, total - sent + 1});
            if (n == 0) {
                std::this_thread::yield();
                continue;
            }
            feed(c, numbered_from(sent, n));
            sent += n;
        }
    });
    ctx.run();
    producer.join();
    BOOST_TEST(next == total + 1);
    BOOST_TEST(c.stats().events_lost == 0U);
}

// The probe's thread may be about to leave the context whose receive it has just completed.
BOOST_AUTO_TEST_CASE(a_context_that_ends_waits_for_who_is_posting_to_it) {
    std::latch posted(1);
    std::atomic<bool> returned = false;
    auto ctx = std::make_unique<asio::io_context>();
    std::optional<basic_consumer<tardy_executor>> c(
        std::in_place, tardy_executor{ctx->get_executor(), &posted, &returned}, "a");
    outcome result;
    std::array<event, 4> out;
    c->async_receive(out, result.handler());
    std::thread producer([core = c->core()] {
        core->push(numbered_from(1, 2));
        core->flush();
    });
    posted.wait();
    ctx->run();
    BOOST_TEST(result.count == 2U);
    c.reset();
    ctx.reset();
    BOOST_TEST(returned);
    producer.join();
}

// What cannot be called is destroyed where it was to be posted, and may own the consumer.
BOOST_AUTO_TEST_CASE(a_consumer_may_go_with_a_handler_that_could_not_be_posted) {
    asio::io_context ctx;
    auto c = std::make_shared<basic_consumer<full_executor>>(full_executor{&ctx}, "a");
    const auto core = c->core();
    {
        auto out = std::make_shared<std::array<event, 4>>();
        auto& batch = *out;
        auto& flows = *c;
        flows.async_receive(batch, [owner = c, out](error_code, std::size_t) {});
    }
    const std::weak_ptr<void> alive = c;
    c.reset();
    BOOST_TEST(!alive.expired()); // Its handler has it.
    core->push(numbered_from(1, 2));
    BOOST_CHECK_THROW(core->flush(), std::bad_alloc);
    BOOST_TEST(alive.expired());
}

BOOST_AUTO_TEST_CASE(cancellation_and_close_race_a_producer_without_harm) {
    asio::thread_pool pool(2);
    for (int i = 0; i < 300; ++i) {
        auto strand = asio::make_strand(pool);
        basic_consumer<asio::strand<asio::thread_pool::executor_type>> c(strand, "a");
        std::array<event, 4> out;
        std::latch done(2); // The receive has completed, and what races it is over.
        int completed = 0;
        std::thread producer([core = c.core()] {
            core->push(numbered_from(1, 2));
            core->flush();
        });
        c.async_receive(out, [&](error_code ec, std::size_t n) {
            completed += (ec ? n == 0 : n > 0) ? 1 : 100;
            done.count_down();
        });
        if (i % 2 == 0) {
            c.close();
            done.count_down();
        } else {
            asio::post(strand, [&] {
                c.cancel();
                done.count_down();
            });
        }
        producer.join();
        done.wait();
        BOOST_REQUIRE_EQUAL(completed, 1);
    }
    pool.join();
}

// A trailer has an owner for each place where its event is, and is given back once, by the last.
BOOST_AUTO_TEST_CASE(whatever_becomes_of_an_event_its_trailer_is_given_back_once) {
    static int alive;
    static int given_back;
    alive = given_back = 0;
    const auto detailed = [] {
        auto* const t = new ctflow::detail::shared_trailer;
        ++alive;
        t->give_back = [](ctflow::detail::shared_trailer* s) noexcept {
            --alive;
            ++given_back;
            delete s;
        };
        t->trailer.parts = CTFLOW_TRAILER_STATUS;
        return ctflow::event(ctflow::test::numbered(1).record(), ctflow::detail::trailer_ref(t));
    };
    const auto some = [&](std::size_t n) {
        std::vector<ctflow::event> all;
        for (std::size_t i = 0; i < n; ++i) {
            all.push_back(i % 2 == 0 ? detailed() : ctflow::test::numbered(2));
        }
        return all;
    };
    boost::asio::io_context ctx;
    {
        using core = ctflow::detail::consumer_core;
        core a(ctx, "a", ctflow::consumer_mode::all, 10);
        core b(ctx, "b", ctflow::consumer_mode::all, 4); // For which it is too many.
        {
            const auto batch = some(8);
            a.push(batch);
            b.push(batch);
        }
        BOOST_TEST(alive == 4); // In a's queue, two of them in b's, too.
        BOOST_TEST(b.stats().events_lost == 4U);

        auto out = some(4); // Whose own go when they are overwritten.
        BOOST_TEST(alive == 6);
        BOOST_TEST(a.pop(out) == 4U);
        BOOST_TEST(alive == 4);
        BOOST_TEST(given_back == 2);
        BOOST_TEST(b.pop(out) == 4U); // The same ones.
        BOOST_TEST(alive == 4);
        out.clear();
        BOOST_TEST(alive == 2); // Those that are left in a's.
        a.push(some(3));
        a.close();
        BOOST_TEST(alive == 4);
    }
    BOOST_TEST(alive == 0);
    BOOST_TEST(given_back == 8);
}

BOOST_AUTO_TEST_SUITE_END()
