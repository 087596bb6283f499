// SPDX-License-Identifier: Apache-2.0
//
// Consumers and probes on executors of every kind, and handlers bound to others.
#include "support/events.hpp"

#include <ctflow/ctflow.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 looks at executors that a work guard holds only while it owns some, and at empty ones.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;

namespace {

// Calls what it is given, there and then: the simplest executor that somebody could write.
class inline_executor {
public:
    explicit inline_executor(asio::execution_context& context) noexcept : context_(&context) {}

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *context_; }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
        return asio::execution::blocking.always;
    }
    template <class F>
    void execute(F f) const {
        f();
    }
    bool operator==(const inline_executor&) const noexcept = default;

private:
    asio::execution_context* context_;
};

// Somebody's own around another, which counts what it is given.
template <class Inner>
class counting_executor {
public:
    counting_executor(const Inner& inner, int& calls) noexcept : inner_(inner), calls_(&calls) {}

    template <class Property>
    requires asio::can_query<const Inner&, Property>::value decltype(auto)
    query(const Property& p) const noexcept {
        return asio::query(inner_, p);
    }
    template <class Property>
    requires asio::can_require<const Inner&, Property>::value auto
    require(const Property& p) const {
        return around(asio::require(inner_, p));
    }
    template <class Property>
    requires asio::can_prefer<const Inner&, Property>::value auto prefer(const Property& p) const {
        return around(asio::prefer(inner_, p));
    }
    template <class F>
    void execute(F&& f) const {
        ++*calls_;
        inner_.execute(std::forward<F>(f));
    }
    bool operator==(const counting_executor&) const noexcept = default;

private:
    template <class Other>
    counting_executor<Other> around(const Other& other) const {
        return {other, *calls_};
    }

    Inner inner_;
    int* calls_;
};

template <class Consumer>
void feed(Consumer& c) {
    c.core()->push(numbered_from(7, 2));
    c.core()->flush();
}

// Receives once on that executor, which needs somebody to run it.
template <class Executor>
std::future<std::size_t> receive(basic_consumer<Executor>& c, std::span<event> out) {
    auto result = c.async_receive(out, asio::use_future);
    feed(c);
    return result;
}

config impossible() {
    config c;
    c.buffer_pages = 3;
    return c;
}

} // namespace

BOOST_AUTO_TEST_SUITE(executors)

BOOST_AUTO_TEST_CASE(of_a_context_and_not_any) {
    asio::io_context ctx;
    std::array<event, 4> out;
    basic_consumer<asio::io_context::executor_type> c(ctx, "c");
    auto result = receive(c, out);
    ctx.run();
    BOOST_TEST(result.get() == 2U);

    error_code ec;
    basic_probe<asio::io_context::executor_type> p(ctx, impossible(), ec);
    auto run = p.async_run(asio::use_future);
    ctx.restart();
    ctx.run();
    BOOST_CHECK_THROW(run.get(), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(a_strand) {
    asio::io_context ctx;
    std::array<event, 4> out;
    const auto strand = asio::make_strand(ctx);
    basic_consumer<asio::strand<asio::io_context::executor_type>> c(strand, "c");
    bool inside = false;
    c.async_receive(out,
                    [&](error_code, std::size_t) { inside = strand.running_in_this_thread(); });
    feed(c);
    ctx.run();
    BOOST_TEST(inside);
}

BOOST_AUTO_TEST_CASE(a_thread_pool) {
    asio::thread_pool pool(2);
    std::array<event, 4> out;
    basic_consumer<asio::thread_pool::executor_type> c(pool, "c");
    BOOST_TEST(receive(c, out).get() == 2U);

    error_code ec;
    basic_probe<asio::thread_pool::executor_type> p(pool.get_executor(), impossible(), ec);
    BOOST_CHECK_THROW(p.async_run(asio::use_future).get(), boost::system::system_error);
    pool.join();
}

BOOST_AUTO_TEST_CASE(the_systems) {
    std::array<event, 4> out;
    basic_consumer<asio::system_executor> c(asio::system_executor(), "c");
    BOOST_TEST(receive(c, out).get() == 2U);
}

BOOST_AUTO_TEST_CASE(somebodys_own) {
    asio::io_context ctx;
    std::array<event, 4> out;
    using own = counting_executor<asio::io_context::executor_type>;
    int calls = 0;
    basic_consumer<own> c(own(ctx.get_executor(), calls), "c");
    std::size_t received = 0;
    c.async_receive(out, [&](error_code, std::size_t n) { received = n; });
    feed(c);
    ctx.run();
    BOOST_TEST(received == 2U);
    BOOST_TEST(calls == 1);
}

// A handler that is bound to it is not called inside the initiating function for that.
BOOST_AUTO_TEST_CASE(a_handlers_that_runs_in_place) {
    asio::io_context ctx;
    std::array<event, 4> out;
    consumer c(ctx, "c");
    std::optional<std::size_t> n;
    auto handler = asio::bind_executor(inline_executor(ctx),
                                       [&](error_code, std::size_t count) { n = count; });
    feed(c);
    c.async_receive(out, handler);
    BOOST_TEST(!n.has_value());
    ctx.run();
    BOOST_TEST(n.value() == 2U);

    error_code ec;
    probe p(ctx, impossible(), ec);
    bool done = false;
    p.async_run(asio::bind_executor(inline_executor(ctx), [&](error_code) { done = true; }));
    BOOST_TEST(!done);
    ctx.restart();
    ctx.run();
    BOOST_TEST(done);
}

BOOST_AUTO_TEST_CASE(objects_are_rebound) {
    using awaiting = asio::as_tuple_t<asio::use_awaitable_t<>>;
    using flows = awaiting::as_default_on_t<consumer>;
    static_assert(std::is_same_v<flows, consumer::rebind_executor<awaiting::executor_with_default<
                                            consumer::executor_type>>::other>);
    asio::io_context ctx;
    flows c(ctx, "c");
    bool right = false;
    asio::co_spawn(
        ctx,
        [&]() -> asio::awaitable<void> {
            std::array<event, 4> out;
            const auto [ec, n] = co_await c.async_receive(out);
            right = !ec && n == 2;
        },
        asio::detached);
    ctx.poll();
    feed(c);
    ctx.run();
    BOOST_TEST(right);
}

// As asio::ip::tcp::socket and the others can be.
BOOST_AUTO_TEST_CASE(objects_are_rebound_as_they_are) {
    constexpr asio::as_tuple_t<asio::use_awaitable_t<>> awaiting;
    asio::io_context ctx;
    auto c = awaiting.as_default_on(consumer(ctx, "c"));
    feed(c);
    bool right = false;
    auto receive = [&]() -> asio::awaitable<void> {
        std::array<event, 4> out;
        const auto [ec, n] = co_await c.async_receive(out);
        right = !ec && n == 2;
    };
    asio::co_spawn(ctx, receive(), asio::detached);
    ctx.run();
    BOOST_TEST(right);
    const consumer back(std::move(c));
    BOOST_TEST(back.name() == "c");

    config impossible;
    impossible.buffer_pages = 3;
    error_code ec;
    auto p = awaiting.as_default_on(probe(ctx, impossible, ec));
    BOOST_TEST((ec == errc::buffer_pages));
    p = decltype(p)(probe(ctx, impossible, ec));
}

// While it is outstanding, both contexts have work: the I/O object's and the handler's.
BOOST_AUTO_TEST_CASE(work_is_tracked_on_both) {
    asio::io_context io;
    asio::io_context handlers;
    std::array<event, 4> out;
    consumer c(io, "c");
    bool done = false;
    c.async_receive(out,
                    asio::bind_executor(handlers, [&](error_code, std::size_t) { done = true; }));
    BOOST_TEST(io.run_for(1ms) == 0U);
    BOOST_TEST(handlers.run_for(1ms) == 0U);
    BOOST_TEST(!io.stopped());
    BOOST_TEST(!handlers.stopped());
    feed(c);
    std::thread other([&] { io.run(); });
    handlers.run();
    other.join();
    BOOST_TEST(done);
}

BOOST_AUTO_TEST_SUITE_END()
