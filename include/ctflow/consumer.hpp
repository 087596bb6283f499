// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/consumer_core.hpp>
#include <ctflow/detail/default_token.hpp>
#include <ctflow/detail/receive_op.hpp>
#include <ctflow/error.hpp>
#include <ctflow/event.hpp>
#include <ctflow/stats.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace ctflow {

/// Receives flow events from the probe with which it is registered.
///
/// Between probe and consumer stands a bounded lock-free ring. A consumer that is too slow loses
/// its own events, counted in stats(); it holds up neither the probe nor other consumers.
///
/// @par Thread-safety
/// Distinct objects: safe. Shared objects: unsafe, except that the probe feeds the consumer
/// from wherever it runs, and that name(), mode() and stats() may be called from any thread. A
/// receive takes its events on the handler's associated executor: with an io_context that several
/// threads run, keep that executor and other calls on one strand.
///
/// @par Receives in a row
/// A receive that the handler of the one before starts, with a handler of the same type and the
/// same executor (a coroutine in a loop), while events are there, is completed by whoever called
/// that handler, when it has returned: up to 16 in a row before the execution context has its
/// turn. Until then nobody else completes it, no thread that runs the context, nor a nested run()
/// or poll(): a handler must not wait for a receive of its own kind that it has started. And a
/// stop() of the context takes effect after those in a row.
///
/// @par Object lifetimes
/// Destroying or closing a consumer takes it from its probe. When it is destroyed the probe has
/// left its execution context, too, which may be destroyed next. A moved-from consumer can be
/// assigned to or destroyed, nothing else; an outstanding receive goes on in the new one.
template <class Executor = boost::asio::any_io_executor>
class basic_consumer {
public:
    /// Of the executor that completion handlers without one of their own run on.
    using executor_type = Executor;

    /// The consumer type for another type of executor.
    template <class OtherExecutor>
    struct rebind_executor {
        /// That type.
        using other = basic_consumer<OtherExecutor>;
    };

    /// How many events its ring holds (112 bytes each) unless told otherwise.
    static constexpr std::size_t default_capacity = 16384;

    /// Makes a consumer that is not registered yet.
    /// @param executor  default executor of its completion handlers
    /// @param name      unique among the consumers of one probe
    /// @param mode      which kinds of event it receives
    /// @param capacity  how many events its ring holds, at least 1 (0 is taken for that)
    ///
    /// @par Errors
    /// Throws std::bad_alloc, and std::length_error if the capacity is more than memory can have.
    explicit basic_consumer(const executor_type& executor, std::string name,
                            consumer_mode mode = consumer_mode::all,
                            std::size_t capacity = default_capacity)
        : executor_(executor), core_(std::make_shared<detail::consumer_core>(
                                   boost::asio::query(executor, boost::asio::execution::context),
                                   std::move(name), mode, capacity)) {}

    /// The same, with the executor of an execution context, an io_context say.
    template <class ExecutionContext>
    requires std::convertible_to<ExecutionContext&, boost::asio::execution_context&>
    explicit basic_consumer(ExecutionContext& context, std::string name,
                            consumer_mode mode = consumer_mode::all,
                            std::size_t capacity = default_capacity)
        : basic_consumer(executor_type(context.get_executor()), std::move(name), mode, capacity) {}

    /// It goes on in the new one: registered as before, with what is buffered and an outstanding
    /// receive.
    basic_consumer(basic_consumer&&) noexcept = default;

    /// The same from one with another type of executor.
    template <class OtherExecutor>
    requires(!std::same_as<OtherExecutor, Executor> && std::convertible_to<OtherExecutor, Executor>)
        basic_consumer(basic_consumer<OtherExecutor>&& other)
        : executor_(other.executor_), core_(std::move(other.core_)) {}

    /// Ends the one that was here, as the destructor does, before that.
    basic_consumer& operator=(basic_consumer&& other) noexcept {
        if (this != &other) {
            abandon();
            executor_ = other.executor_;
            core_ = std::move(other.core_);
        }
        return *this;
    }

    /// Takes it from its probe. An outstanding receive completes with operation_aborted.
    ~basic_consumer() { abandon(); }

    /// Of completion handlers that have none of their own.
    executor_type get_executor() const noexcept { return executor_; }

    /// As given to the constructor. From any thread.
    const std::string& name() const noexcept { return core_->name(); }

    /// As given to the constructor. From any thread.
    consumer_mode mode() const noexcept { return core_->mode(); }

    /// A copy of its counters. From any thread.
    consumer_stats stats() const noexcept { return core_->stats(); }

    /// Receives as many events as there are, one at least, out.size() at most.
    ///
    /// @par Completion signature
    /// @code void(ctflow::error_code, std::size_t) @endcode
    /// With the number of events written to the front of @p out.
    ///
    /// @par Errors
    /// errc::consumer_closed when the consumer was removed or its probe stopped, and all that was
    /// buffered has been received; errc::receive_outstanding beside another receive;
    /// operation_aborted; invalid_argument when @p out is empty.
    ///
    /// @par Per-operation cancellation
    /// terminal, partial, total. A cancelled receive has taken no event.
    ///
    /// @par Immediate completion
    /// Where there are events already, or an error is known at once, by the handler's immediate
    /// executor (Boost 1.82 and newer). Without one the handler is never called in here.
    ///
    /// @par Object lifetimes
    /// The memory of @p out must stay valid until the handler is called.
    template <boost::asio::completion_token_for<void(error_code, std::size_t)> Token =
                  detail::default_token_t<Executor>>
    auto async_receive(std::span<event> out, Token&& token = Token()) {
        return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
            detail::initiate_receive<Executor>(core_, executor_), token,
            detail::receive_batch{out});
    }

    /// Receives one event. Convenient, and several times costlier an event than the batch form.
    ///
    /// @par Completion signature
    /// @code void(ctflow::error_code, ctflow::event) @endcode
    /// With an event of zeros on failure.
    ///
    /// @par Errors
    /// Those of the batch form, but for invalid_argument.
    ///
    /// @par Per-operation cancellation
    /// terminal, partial, total. A cancelled receive has taken no event.
    template <class Token = detail::default_token_t<Executor>>
    requires(!std::convertible_to<Token, std::span<event>> &&
             boost::asio::completion_token_for<
                 Token, void(error_code, event)>) auto async_receive(Token&& token = Token()) {
        return boost::asio::async_initiate<Token, void(error_code, event)>(
            detail::initiate_receive<Executor>(core_, executor_), token, detail::receive_one{});
    }

    /// Takes what is there, out.size() events at most, without waiting. Not beside a receive that
    /// is outstanding on another thread (see Thread-safety).
    /// @return how many
    std::size_t try_receive(std::span<event> out) noexcept { return core_->pop(out); }

    /// Completes an outstanding receive with operation_aborted. It has taken no event. Does nothing
    /// if there is none.
    void cancel() {
        const auto core = core_; // What it completes may destroy this.
        core->cancel();
    }

    /// Ends the stream: the probe sends it no more, and forgets its name. What is buffered can
    /// still be received, then errc::consumer_closed. A second time it does nothing.
    void close() {
        const auto core = core_;
        core->close();
    }

    /// Not for users: what probe::register_consumer passes on.
    const std::shared_ptr<detail::consumer_core>& core() const noexcept { return core_; }

private:
    template <class>
    friend class basic_consumer;

    void abandon() noexcept {
        if (core_) {
            core_->abandon();
        }
    }

    executor_type executor_;
    std::shared_ptr<detail::consumer_core> core_;
};

/// A consumer for executors of any type.
using consumer = basic_consumer<>;

/// A look at a consumer that is registered with a probe, by whomever; see probe::get_consumer.
/// Stays valid after the consumer is gone.
///
/// @par Thread-safety
/// May be used from any thread.
class consumer_view {
public:
    /// Not for users: what probe::get_consumer returns.
    explicit consumer_view(std::shared_ptr<const detail::consumer_core> core) noexcept
        : core_(std::move(core)) {}

    /// The consumer's.
    const std::string& name() const noexcept { return core_->name(); }

    /// The consumer's.
    consumer_mode mode() const noexcept { return core_->mode(); }

    /// A copy of the consumer's counters.
    consumer_stats stats() const noexcept { return core_->stats(); }

private:
    std::shared_ptr<const detail::consumer_core> core_;
};

} // namespace ctflow
