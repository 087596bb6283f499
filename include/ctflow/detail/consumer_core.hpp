// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>
#include <ctflow/event.hpp>
#include <ctflow/stats.hpp>

#include <boost/asio/execution_context.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace ctflow {

/// Which kinds of event a consumer receives.
enum class consumer_mode : std::uint8_t {
    update = 1,             ///< Updates alone.
    destroy = 2,            ///< Destroys alone: one event for each flow.
    all = update | destroy, ///< Both.
};

} // namespace ctflow

namespace ctflow::detail {

class consumer_set;
class signal_count;

// A receive that waits to be told that there is something to look at. Whoever takes it out of the
// consumer_core owns it, and calls notify or destroy, once.
class receive_waiter {
public:
    virtual void notify() = 0;           // Completes it, on its handler's executor.
    virtual void destroy() noexcept = 0; // Frees it unheard: the execution context is ending.
    void cancel() noexcept { cancelled_ = true; }

protected:
    ~receive_waiter() = default;
    bool cancelled_ = false;
};

// What a consumer and the probe share: the ring of events between one producer, the probe, and one
// receiver, and the place where a receive waits for the producer's signal.
class CTFLOW_DECL consumer_core {
public:
    consumer_core(boost::asio::execution_context& context, std::string name, consumer_mode mode,
                  std::size_t capacity);
    ~consumer_core();
    consumer_core(const consumer_core&) = delete;
    consumer_core& operator=(const consumer_core&) = delete;

    const std::string& name() const noexcept { return name_; }
    consumer_mode mode() const noexcept { return mode_; }
    bool wants(event_kind kind) const noexcept {
        return (static_cast<unsigned>(mode_) & static_cast<unsigned>(kind)) != 0;
    }
    consumer_stats stats() const noexcept;

    // The producer's side, one thread at a time.
    void push(std::span<const event> batch) noexcept;
    void flush(); // Signals, if anything was pushed since the last time.

    // The probe that registered it, so that there is one producer at most.
    bool acquire(const void* owner) noexcept;

    // Any thread. What is buffered can still be received after close(), not after abandon().
    void close();
    void abandon();
    bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }
    bool abandoned() const noexcept { return abandoned_.load(std::memory_order_acquire); }

    // The receiver's side, one thread at a time.
    std::size_t pop(std::span<event> out) noexcept;
    bool ready() const noexcept;
    bool begin_receive() noexcept;
    void end_receive() noexcept { receiving_.store(false, std::memory_order_release); }

    // Lets a receive wait; notifies it at once if there is something to look at. When this is
    // called the waiter is no longer the caller's: it may be completed, and gone, before it
    // returns.
    void wait(receive_waiter& waiter);
    bool take_back(receive_waiter& waiter) noexcept;

    // Completes the outstanding receive, if any, with operation_aborted.
    void cancel();
    bool cancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }

private:
    friend consumer_set;
    struct queue;

    void signal();
    receive_waiter* take() noexcept {
        return waiting_.exchange(nullptr, std::memory_order_acq_rel);
    }

    const std::string name_;
    const consumer_mode mode_;
    std::unique_ptr<queue> queue_;
    std::shared_ptr<consumer_set> siblings_;
    std::shared_ptr<signal_count> signals_;
    std::atomic<const void*> owner_{nullptr};
    std::atomic<bool> closed_{false};
    std::atomic<bool> abandoned_{false};
    std::atomic<bool> receiving_{false};
    std::atomic<bool> cancelled_{false}; // The receive that is outstanding.
    std::atomic<receive_waiter*> waiting_{nullptr};

    // Written by the producer alone.
    bool pushed_ = false;
    std::atomic<std::uint64_t> received_{0};
    std::atomic<std::uint64_t> lost_{0};

    // Written by the receiver alone.
    std::atomic<std::uint64_t> taken_{0};
};

// Lives while the handler of a receive is called, on the thread that calls it. The next receive of
// the same consumer, if that handler starts it and there are events for it, may be left here
// instead of being posted: whoever called the handler goes on with it.
class CTFLOW_DECL completion {
public:
    // `kind` tells types of operations apart.
    completion(const consumer_core& core, const void* kind) noexcept;
    ~completion();
    completion(const completion&) = delete;
    completion& operator=(const completion&) = delete;

    // The one that this thread is in, or null.
    static completion* innermost() noexcept;

    bool is_of(const consumer_core& core, const void* kind) const noexcept {
        return &core_ == &core && kind_ == kind && next_ == nullptr;
    }
    void leave(receive_waiter& next) noexcept { next_ = &next; }
    receive_waiter* take() noexcept { return std::exchange(next_, nullptr); }

private:
    const consumer_core& core_;
    const void* kind_;
    completion* outer_; // A handler may run its context's functions.
    receive_waiter* next_ = nullptr;
};

} // namespace ctflow::detail
