// SPDX-License-Identifier: Apache-2.0
//
// Every operation with every completion token that Asio has.
#include "contract/operations.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/consign.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/coro.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/experimental/promise.hpp>
#include <boost/asio/experimental/use_promise.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prepend.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/version.hpp>

#if BOOST_VERSION >= 108200
#include <boost/asio/bind_immediate_executor.hpp>
#include <boost/asio/system_executor.hpp>
#endif
#if BOOST_VERSION >= 108600
#include <boost/asio/cancel_after.hpp>
#endif

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;

namespace {

template <class Operation>
struct fixture {
    // A handler that takes the result, whatever its type.
    auto handler() {
        return [this](error_code e, auto&&... values) {
            BOOST_TEST(!ec.has_value()); // Once.
            ec = e;
            right = op.right(values...);
        };
    }

    void finish() {
        BOOST_TEST(!ec.has_value()); // Not inside the initiating function.
        op.feed();
        BOOST_TEST(!ec.has_value()); // Nor inside the probe.
        ctx.run();
        check();
    }

    void check() const {
        BOOST_REQUIRE(ec.has_value());
        BOOST_TEST((*ec == Operation::expected()));
        BOOST_TEST(right);
    }

    // Of a coroutine, whose errors are exceptions.
    void failed(const std::exception_ptr& e) {
        try {
            if (e) {
                std::rethrow_exception(e);
            }
        } catch (const boost::system::system_error& error) {
            ec = error.code();
            right = true;
        }
    }

    asio::io_context ctx;
    Operation op{ctx};
    std::optional<error_code> ec;
    bool right = false;
};

// What a coroutine has of a token that throws.
template <class Operation, class Awaitable>
asio::awaitable<void> awaited(fixture<Operation>& f, Awaitable operation) {
    if constexpr (std::is_same_v<Operation, run_probe>) {
        co_await std::move(operation);
    } else {
        auto value = co_await std::move(operation);
        f.right = f.op.right(value);
    }
    f.ec = error_code();
}

template <class Operation>
asio::experimental::coro<void> in_coro(asio::any_io_executor, fixture<Operation>& f) {
    std::apply(f.handler(), co_await f.op(asio::as_tuple(asio::deferred)));
}

} // namespace

BOOST_AUTO_TEST_SUITE(tokens)

BOOST_AUTO_TEST_CASE_TEMPLATE(callback, Operation, operations) {
    fixture<Operation> f;
    f.op(f.handler());
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(callback_that_only_moves, Operation, operations) {
    fixture<Operation> f;
    f.op([owned = std::make_unique<int>(1), h = f.handler()](auto&&... all) mutable {
        BOOST_TEST(*owned == 1);
        h(all...);
    });
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(type_erased_callback, Operation, operations) {
    fixture<Operation> f;
    if constexpr (std::is_same_v<Operation, receive_one>) {
        f.op(asio::any_completion_handler<void(error_code, event)>(f.handler()));
    } else if constexpr (std::is_same_v<Operation, run_probe>) {
        f.op(asio::any_completion_handler<void(error_code)>(f.handler()));
    } else {
        f.op(asio::any_completion_handler<void(error_code, std::size_t)>(f.handler()));
    }
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(deferred, Operation, operations) {
    fixture<Operation> f;
    auto later = f.op(asio::deferred);
    f.ctx.poll();
    f.ctx.restart();
    std::move(later)(f.handler());
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(default_token, Operation, operations) {
    fixture<Operation> f;
    asio::co_spawn(f.ctx, awaited(f, f.op.by_default()),
                   [&](std::exception_ptr e) { f.failed(e); });
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(use_awaitable, Operation, operations) {
    fixture<Operation> f;
    asio::co_spawn(f.ctx, awaited(f, f.op(asio::use_awaitable)),
                   [&](std::exception_ptr e) { f.failed(e); });
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(as_tuple, Operation, operations) {
    fixture<Operation> f;
    asio::co_spawn(
        f.ctx,
        [&]() -> asio::awaitable<void> {
            std::apply(f.handler(), co_await f.op(asio::as_tuple(asio::use_awaitable)));
        },
        asio::detached);
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(redirect_error, Operation, operations) {
    fixture<Operation> f;
    asio::co_spawn(
        f.ctx,
        [&]() -> asio::awaitable<void> {
            error_code ec;
            auto operation = f.op(asio::redirect_error(asio::use_awaitable, ec));
            if constexpr (std::is_same_v<Operation, run_probe>) {
                co_await std::move(operation);
                f.handler()(ec);
            } else {
                auto value = co_await std::move(operation);
                f.handler()(ec, value);
            }
        },
        asio::detached);
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(use_future, Operation, operations) {
    fixture<Operation> f;
    auto future = f.op(asio::use_future);
    f.op.feed();
    f.ctx.run();
    try {
        if constexpr (std::is_same_v<Operation, run_probe>) {
            future.get();
        } else {
            f.right = f.op.right(future.get());
        }
        f.ec = error_code();
    } catch (...) {
        f.failed(std::current_exception());
    }
    f.check();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(detached, Operation, operations) {
    fixture<Operation> f;
    f.op(asio::detached);
    f.op.feed();
    f.ctx.run(); // To the end: nothing is left outstanding.
    BOOST_TEST(f.ctx.stopped());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bind_executor, Operation, operations) {
    fixture<Operation> f;
    auto strand = asio::make_strand(f.ctx);
    f.op(asio::bind_executor(strand, [&, h = f.handler()](auto&&... all) mutable {
        BOOST_TEST(strand.running_in_this_thread());
        h(all...);
    }));
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bind_executor_of_another_context, Operation, operations) {
    fixture<Operation> f;
    asio::io_context other;
    bool there = false;
    f.op(asio::bind_executor(other, [&, h = f.handler()](auto&&... all) mutable {
        there = other.get_executor().running_in_this_thread();
        h(all...);
    }));
    f.op.feed();
    // Both have work until it is done.
    while (!f.ec) {
        BOOST_REQUIRE(!other.stopped());
        f.ctx.poll();
        other.poll();
    }
    BOOST_TEST(there);
    f.check();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bind_cancellation_slot, Operation, operations) {
    fixture<Operation> f;
    asio::cancellation_signal signal;
    f.op(asio::bind_cancellation_slot(signal.slot(), [&](error_code ec, auto&&...) { f.ec = ec; }));
    signal.emit(asio::cancellation_type::terminal);
    f.ctx.run();
    if constexpr (Operation::waits) {
        BOOST_TEST((f.ec.value() == asio::error::operation_aborted));
    } else {
        BOOST_TEST((f.ec.value() == Operation::expected())); // It had failed before.
    }
}

namespace {

struct accounts {
    std::size_t allocations = 0;
    std::size_t outstanding = 0;
};

template <class T>
struct counting {
    using value_type = T;

    explicit counting(accounts& a) noexcept : books(&a) {}
    template <class U>
    counting(const counting<U>& other) noexcept : books(other.books) {} // NOLINT: as allocators do.

    T* allocate(std::size_t n) {
        ++books->allocations;
        ++books->outstanding;
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) noexcept {
        --books->outstanding;
        std::allocator<T>().deallocate(p, n);
    }
    template <class U>
    bool operator==(const counting<U>& other) const noexcept {
        return books == other.books;
    }

    accounts* books;
};

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(bind_allocator, Operation, operations) {
    fixture<Operation> f;
    accounts books;
    f.op(asio::bind_allocator(
        counting<std::byte>(books), [&, h = f.handler()](auto&&... all) mutable {
            if constexpr (!std::is_same_v<Operation, run_probe>) {
                BOOST_TEST(books.outstanding == 0U); // Free before the handler runs, for its next.
            }
            h(all...);
        }));
    f.finish();
    if constexpr (Operation::waits) { // What is over at once is posted: any_io_executor allocates.
        BOOST_TEST(books.allocations > 0U);
    }
    BOOST_TEST(books.outstanding == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(append_prepend_and_consign, Operation, operations) {
    fixture<Operation> f;
    std::weak_ptr<int> kept;
    {
        auto one = std::make_shared<int>(1);
        kept = one;
        f.op(asio::consign(asio::prepend(
                               [&, h = f.handler()](int first, auto&&... all) mutable {
                                   BOOST_TEST(first == 5);
                                   BOOST_TEST(!kept.expired());
                                   h(all...);
                               },
                               5),
                           std::move(one)));
    }
    f.finish();
    BOOST_TEST(kept.expired());

    fixture<Operation> g;
    int last = 0;
    g.op(asio::append(
        [&](error_code ec, auto&&... all) {
            g.ec = ec;
            last = std::get<sizeof...(all) - 1>(std::tie(all...));
        },
        6));
    g.op.feed();
    g.ctx.run();
    BOOST_TEST((g.ec.value() == Operation::expected()));
    BOOST_TEST(last == 6);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(raced_against_a_timer, Operation, operations) {
    using namespace asio::experimental::awaitable_operators;
    fixture<Operation> f;
    asio::co_spawn(
        f.ctx,
        [&]() -> asio::awaitable<void> {
            asio::steady_timer timer(f.ctx, 1h);
            const auto result = co_await (f.op(asio::as_tuple(asio::use_awaitable)) ||
                                          timer.async_wait(asio::use_awaitable));
            std::apply(f.handler(), std::get<0>(result));
        },
        asio::detached);
    f.ctx.poll(); // Both wait, or the one is done.
    if (!f.ec) {
        f.finish();
    }
    f.check();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(parallel_group, Operation, operations) {
    fixture<Operation> f;
    asio::steady_timer timer(f.ctx, 1h);
    asio::experimental::make_parallel_group(f.op(asio::deferred), timer.async_wait(asio::deferred))
        .async_wait(asio::experimental::wait_for_one(),
                    [&](const auto& order, error_code ec, auto&&... rest) {
                        BOOST_TEST(order[0] == 0U);
                        f.ec = ec;
                        BOOST_TEST((std::get<sizeof...(rest) - 1>(std::tie(rest...)) ==
                                    asio::error::operation_aborted)); // The timer.
                        f.right = true;
                    });
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(promise, Operation, operations) {
    fixture<Operation> f;
    auto later = f.op(asio::experimental::use_promise);
    f.op.feed();
    f.ctx.run();
    BOOST_TEST(later.completed());
    f.ctx.restart();
    later(f.handler());
    f.ctx.run();
    f.check();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(coro, Operation, operations) {
    fixture<Operation> f;
    auto task = in_coro<Operation>(f.ctx.get_executor(), f);
    task.async_resume(asio::detached);
    f.finish();
}

#if BOOST_VERSION >= 108200
// What has its result in the initiating function completes there, if the handler wants that.
BOOST_AUTO_TEST_CASE_TEMPLATE(bind_immediate_executor, Operation, operations) {
    fixture<Operation> f;
    const auto in_place = [&] {
        return asio::bind_immediate_executor(asio::system_executor(), f.handler());
    };
    f.op.feed();
    asio::post(f.ctx, [&] {
        f.op(in_place());
        BOOST_TEST(f.ec.has_value());
    });
    f.ctx.run();
    f.check();

    fixture<Operation> usual;
    usual.op.feed();
    asio::post(usual.ctx, [&] {
        usual.op(usual.handler());
        BOOST_TEST(!usual.ec.has_value());
    });
    usual.ctx.run();
    usual.check();

    if constexpr (Operation::waits) {
        f.ec.reset();
        f.ctx.restart();
        f.op(in_place()); // It has to wait.
        f.finish();
    }
}

// An error of the caller's is known at once, too.
BOOST_AUTO_TEST_CASE(bind_immediate_executor_of_a_mistake) {
    fixture<receive_batch> f;
    f.op(asio::detached);
    std::optional<error_code> second;
    asio::post(f.ctx, [&] {
        f.op(asio::bind_immediate_executor(asio::system_executor(),
                                           [&](error_code ec, std::size_t) { second = ec; }));
        BOOST_TEST((second.value() == errc::receive_outstanding));
        f.op.flows.cancel();
    });
    f.ctx.run();
    BOOST_TEST(second.has_value());
}
#endif

#if BOOST_VERSION >= 108600
BOOST_AUTO_TEST_CASE_TEMPLATE(cancel_after, Operation, operations) {
    fixture<Operation> f;
    f.op(asio::cancel_after(1h, f.handler()));
    f.finish();
    if constexpr (Operation::waits) {
        fixture<Operation> late;
        late.op(asio::cancel_after(1ms, [&](error_code ec, auto&&...) { late.ec = ec; }));
        late.ctx.run();
        BOOST_TEST((late.ec.value() == asio::error::operation_aborted));
    }
}
#endif

BOOST_AUTO_TEST_SUITE_END()
