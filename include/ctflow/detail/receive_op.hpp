// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/consumer_core.hpp>
#include <ctflow/error.hpp>
#include <ctflow/event.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/is_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/require.hpp>
#include <boost/version.hpp>

#if BOOST_VERSION >= 108200
#include <boost/asio/associated_immediate_executor.hpp>
#endif

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace ctflow::detail {

// The two forms of receive: what they take from the queue, and what they hand to the handler.
struct receive_batch {
    std::span<event> out;
    std::size_t count = 0;

    bool possible() const noexcept { return !out.empty(); }
    bool take(consumer_core& core) noexcept { return (count = core.pop(out)) != 0; }

    template <class Handler>
    void complete(Handler&& handler, const error_code& ec) {
        std::forward<Handler>(handler)(ec, count);
    }
};

struct receive_one {
    event value;

    static bool possible() noexcept { return true; }
    bool take(consumer_core& core) noexcept { return core.pop({&value, 1}) != 0; }

    template <class Handler>
    void complete(Handler&& handler, const error_code& ec) {
        std::forward<Handler>(handler)(ec, value);
    }
};

// One outstanding receive. Events are taken from the queue in the last step, on the handler's own
// executor, right before the handler runs. A cancellation that arrives before that step has taken
// nothing, and loses nothing: this is what makes `receive || timer` safe.
template <class Form, class Handler, class IoExecutor>
class receive_op final : public receive_waiter {
public:
    static void start(const std::shared_ptr<consumer_core>& core, const IoExecutor& io_executor,
                      Form form, Handler&& handler) {
        owner op = make(core, io_executor, std::move(form), std::move(handler));
        if (!op->form_.possible()) {
            op->failure_ = boost::asio::error::invalid_argument;
        } else if (!core->begin_receive()) {
            op->failure_ = errc::receive_outstanding;
        }
        if (op->failure_) {
            complete_at_once(std::move(op));
            return;
        }
        op->exclusive_ = true;
        auto slot = boost::asio::get_associated_cancellation_slot(op->handler_);
        if (slot.is_connected()) {
            slot.template emplace<canceller>(core, op.get());
        }
        if (follows_one_that_completes(*op)) {
            completion::innermost()->leave(*op.release());
        } else if (has_immediate_executor(*op) && core->ready()) {
            complete_at_once(std::move(op));
        } else {
            wait(std::move(op));
        }
    }

    ~receive_op() {
        if (exclusive_) {
            core_->end_receive();
        }
    }
    receive_op(const receive_op&) = delete;
    receive_op& operator=(const receive_op&) = delete;

private:
    using handler_executor = boost::asio::associated_executor_t<Handler, IoExecutor>;
    using handler_allocator = boost::asio::associated_allocator_t<Handler>;
    using allocator =
        typename std::allocator_traits<handler_allocator>::template rebind_alloc<receive_op>;

    // The executor of an any_completion_handler can dispatch, but not post.
    static constexpr bool can_post =
        boost::asio::can_require<handler_executor,
                                 boost::asio::execution::blocking_t::never_t>::value ||
        boost::asio::is_executor<handler_executor>::value;

    struct deleter {
        void operator()(receive_op* op) const noexcept {
            free(op, boost::asio::get_associated_allocator(op->handler_));
        }
    };
    using owner = std::unique_ptr<receive_op, deleter>;

    // Called by a cancellation signal, which Asio has its users emit where the handler runs: never
    // beside finish().
    struct canceller {
        canceller(std::shared_ptr<consumer_core> c, receive_op* o) noexcept
            : core(std::move(c)), op(o) {}

        void operator()(boost::asio::cancellation_type type) {
            if (type == boost::asio::cancellation_type::none) {
                return;
            }
            op->cancel();
            if (core->take_back(*op)) {
                op->notify();
            } // Else it is on its way to finish(), and will be noticed there.
        }

        std::shared_ptr<consumer_core> core;
        receive_op* op;
    };

    // What is posted to the handler's executor. Owns the operation, so that a context that is
    // destroyed before it runs this destroys the operation too.
    struct finisher {
        using allocator_type = handler_allocator;

        allocator_type get_allocator() const noexcept {
            return boost::asio::get_associated_allocator(op->handler_);
        }

        void operator()() { finish(std::move(op)); }

        owner op;
    };

    // The same, by way of another executor.
    struct detour {
        using allocator_type = handler_allocator;

        allocator_type get_allocator() const noexcept {
            return boost::asio::get_associated_allocator(op->handler_);
        }

        void operator()() {
            const auto executor = op->work_.get_executor();
            boost::asio::dispatch(executor, finisher{std::move(op)});
        }

        owner op;
    };

    // Not every handler can be asked for its allocator once it is moved from.
    static void free(receive_op* op, const handler_allocator& handler_memory) noexcept {
        allocator alloc(handler_memory);
        std::allocator_traits<allocator>::destroy(alloc, op);
        std::allocator_traits<allocator>::deallocate(alloc, op, 1);
    }

    receive_op(const std::shared_ptr<consumer_core>& core, const IoExecutor& io_executor,
               Form&& form, Handler&& handler)
        : core_(core), form_(std::move(form)), handler_(std::move(handler)), io_work_(io_executor),
          work_(boost::asio::get_associated_executor(handler_, io_executor)) {}

    static owner make(const std::shared_ptr<consumer_core>& core, const IoExecutor& io_executor,
                      Form&& form, Handler&& handler) {
        allocator alloc(boost::asio::get_associated_allocator(handler));
        receive_op* memory = std::allocator_traits<allocator>::allocate(alloc, 1);
        // Nothing that is moved or copied here may throw, by Asio's requirements on handlers and
        // executors.
        return owner(::new (static_cast<void*>(memory))
                         receive_op(core, io_executor, std::move(form), std::move(handler)));
    }

    static void wait(owner op) {
        // Once it waits it can be completed, and its consumer destroyed, on another thread.
        const auto core = op->core_;
        core->wait(*op.release());
    }

    static void post(owner op) {
        if constexpr (can_post) {
            const auto executor = op->work_.get_executor();
            boost::asio::post(executor, finisher{std::move(op)});
        } else {
            const auto io_executor = op->io_work_.get_executor();
            boost::asio::post(io_executor, detour{std::move(op)});
        }
    }

    // An operation that is over before its initiating function has returned completes by way of its
    // handler's immediate executor, where Boost has those (1.82). Only one that the user has bound
    // matters: by the others a handler is not called in place, and post() sees to that, too.
#if BOOST_VERSION >= 108200
    static auto immediate_executor(const receive_op& op) noexcept {
        return boost::asio::get_associated_immediate_executor(op.handler_,
                                                              op.io_work_.get_executor());
    }

    static bool has_immediate_executor(const receive_op& op) noexcept {
        struct no_handler {};
        const auto usual = boost::asio::get_associated_immediate_executor(
            no_handler(), op.io_work_.get_executor());
        const auto its = immediate_executor(op);
        if constexpr (std::is_same_v<decltype(usual), decltype(its)>) {
            return its != usual;
        } else {
            return true;
        }
    }

    static void complete_at_once(owner op) {
        if (has_immediate_executor(*op)) {
            const auto immediate = immediate_executor(*op);
            boost::asio::dispatch(immediate, detour{std::move(op)});
        } else {
            post(std::move(op));
        }
    }
#else
    static bool has_immediate_executor(const receive_op&) noexcept {
        return false;
    }
    static void complete_at_once(owner op) {
        post(std::move(op));
    }
#endif

    // How many receives in a row may complete in one turn of the executor.
    static constexpr int in_a_row = 16;

    // Its address is the type's. Not a constant: those may be merged.
    static inline char kind = 0;

    // Started by the handler of another, on its executor, and with something to receive. Then it
    // need not be posted: that is a system call each time if the context has nothing else to do
    // (epoll_wait(2)), and makes receiving one by one slow. Only if the two are alike: a coroutine,
    // say, that suspends now. Another handler might wait for this one.
    static bool follows_one_that_completes(const receive_op& op) noexcept {
        if constexpr (!can_post) {
            return false; // A handler whose type has been erased: who knows which.
        }
        const auto* const before = completion::innermost();
        return before != nullptr && before->is_of(*op.core_, &kind) &&
               static_cast<const completing&>(*before).executor == op.work_.get_executor() &&
               op.core_->ready();
    }

    struct completing final : completion {
        completing(const consumer_core& core, const handler_executor& e)
            : completion(core, &kind), executor(e) {}

        // If the handler has thrown.
        ~completing() {
            if (receive_waiter* const next = take()) {
                next->notify();
            }
        }

        handler_executor executor;
    };

    static void finish(owner op) {
        for (int left = in_a_row; op; --left) {
            if (left == 0) {
                post(std::move(op));
                return;
            }
            op = finish_one(std::move(op));
        }
    }

    // Returns the next to finish, if its handler has left one.
    static owner finish_one(owner op) {
        error_code ec = op->failure_;
        if (!ec) {
            const bool closed = op->core_->closed(); // Before the queue is seen empty, not after.
            if (op->cancelled_ || op->core_->cancelled() || op->core_->abandoned()) {
                ec = boost::asio::error::operation_aborted;
            } else if (!op->form_.take(*op->core_)) {
                if (!closed) {
                    // Somebody's try_receive() was here first.
                    wait(std::move(op));
                    return nullptr;
                }
                ec = errc::consumer_closed;
            }
        }
        if (op->exclusive_) {
            auto slot = boost::asio::get_associated_cancellation_slot(op->handler_);
            if (slot.is_connected()) {
                slot.clear();
            }
        }
        // The operation's memory is free before the handler runs, which may use it for the next;
        // the work guards live on until the handler has returned.
        auto io_work = std::move(op->io_work_);
        auto work = std::move(op->work_);
        const auto handler_memory = boost::asio::get_associated_allocator(op->handler_);
        Form form(std::move(op->form_));
        Handler handler(std::move(op->handler_));
        const auto core = op->core_; // The handler may destroy its consumer.
        free(op.release(), handler_memory);
        completing now(*core, work.get_executor());
        form.complete(std::move(handler), ec);
        return owner(static_cast<receive_op*>(now.take()));
    }

    void notify() override {
        post(owner(this));
    }
    void destroy() noexcept override {
        owner(this).reset();
    }

    std::shared_ptr<consumer_core> core_;
    Form form_;
    Handler handler_;
    boost::asio::executor_work_guard<IoExecutor> io_work_;
    boost::asio::executor_work_guard<handler_executor> work_;
    error_code failure_;
    bool exclusive_ = false;
};

// The initiation: a named type with an executor, as Asio's adapters want it.
template <class Executor>
class initiate_receive {
public:
    using executor_type = Executor;

    initiate_receive(std::shared_ptr<consumer_core> core, const Executor& executor)
        : core_(std::move(core)), executor_(executor) {}

    executor_type get_executor() const noexcept { return executor_; }

    template <class Handler, class Form>
    void operator()(Handler&& handler, Form form) const {
        using handler_type = std::decay_t<Handler>; // Some tokens (use_promise) pass an lvalue.
        receive_op<Form, handler_type, Executor>::start(
            core_, executor_, std::move(form), handler_type(std::forward<Handler>(handler)));
    }

private:
    std::shared_ptr<consumer_core> core_;
    Executor executor_;
};

} // namespace ctflow::detail
