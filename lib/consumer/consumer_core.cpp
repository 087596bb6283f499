// SPDX-License-Identifier: Apache-2.0
#include "consumer/consumer_service.hpp"
#include "consumer/signal_count.hpp"

#include <ctflow/detail/consumer_core.hpp>

#include <boost/asio/execution_context.hpp>
#include <boost/lockfree/spsc_queue.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace ctflow::detail {

// Its own type so that no Lockfree header is in ours.
//
// Events travel through it as mere bytes: to copy and destroy them one by one takes twice as long.
// So one in the queue is an owner of its trailer that nobody counts: it is counted when it is put
// in, and whoever takes it out is that owner.
struct consumer_core::queue {
    explicit queue(std::size_t capacity) : parcels(checked(capacity)) {}
    ~queue() {
        event last;
        while (pop({&last, 1}) != 0) {
        }
    }
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;

    // Lockfree adds one and multiplies, and checks neither.
    static std::size_t checked(std::size_t capacity) {
        if (capacity >= std::numeric_limits<std::ptrdiff_t>::max() / sizeof(event)) {
            throw std::length_error("ctflow::consumer: capacity");
        }
        return capacity;
    }

    // Returns how many found room.
    std::size_t push(std::span<const event> batch) noexcept {
        batch = batch.first(std::min(batch.size(), parcels.write_available()));
        for (const event& e : batch) {
            if (e.has_details()) [[unlikely]] {
                trailer_ref(e.shared_trailer()).let_go();
            }
        }
        return parcels.push(reinterpret_cast<const parcel*>(batch.data()), batch.size());
    }

    std::size_t pop(std::span<event> out) noexcept {
        out = out.first(std::min(out.size(), parcels.read_available()));
        for (event& e : out) {
            if (e.has_details()) [[unlikely]] {
                e = event(); // Lets go of what it had.
            }
        }
        return parcels.pop(reinterpret_cast<parcel*>(out.data()), out.size());
    }

    struct alignas(event) [[gnu::may_alias]] parcel : std::array<std::byte, sizeof(event)> {};
    static_assert(std::is_standard_layout_v<event>);

    boost::lockfree::spsc_queue<parcel> parcels;
};

consumer_core::consumer_core(boost::asio::execution_context& context, std::string name,
                             consumer_mode mode, std::size_t capacity)
    : name_(std::move(name)), mode_(mode),
      queue_(std::make_unique<queue>(std::max<std::size_t>(capacity, 1))),
      siblings_(boost::asio::use_service<consumer_service>(context).consumers()),
      signals_(std::make_shared<signal_count>()) {
    siblings_->add(*this);
}

consumer_core::~consumer_core() {
    siblings_->remove(*this);
}

consumer_stats consumer_core::stats() const noexcept {
    // Not the queue's own length, which its reader alone may ask for. The receiver may be ahead of
    // the count of what was put in.
    const auto taken = taken_.load(std::memory_order_relaxed);
    const auto received = received_.load(std::memory_order_relaxed);
    return {received, lost_.load(std::memory_order_relaxed), received - std::min(taken, received)};
}

void consumer_core::push(std::span<const event> batch) noexcept {
    const std::size_t n = queue_->push(batch);
    // One writer: no need for the price of an atomic addition.
    received_.store(received_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    lost_.store(lost_.load(std::memory_order_relaxed) + (batch.size() - n),
                std::memory_order_relaxed);
    pushed_ = true;
}

void consumer_core::flush() {
    if (std::exchange(pushed_, false)) {
        signal();
    }
}

void consumer_core::signal() {
    const signal_count::one under_way(signals_);
    if (receive_waiter* waiter = take()) {
        waiter->notify();
    }
}

bool consumer_core::acquire(const void* owner) noexcept {
    const void* nobody = nullptr;
    return owner_.compare_exchange_strong(nobody, owner);
}

void consumer_core::close() {
    closed_.store(true, std::memory_order_release);
    signal();
}

void consumer_core::abandon() {
    abandoned_.store(true, std::memory_order_release);
    const auto signals = signals_;
    close();
    signals->await_others();
}

std::size_t consumer_core::pop(std::span<event> out) noexcept {
    const std::size_t n = queue_->pop(out);
    taken_.store(taken_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    return n;
}

bool consumer_core::ready() const noexcept {
    return closed() || queue_->parcels.read_available() != 0;
}

bool consumer_core::begin_receive() noexcept {
    if (receiving_.exchange(true, std::memory_order_acquire)) {
        return false;
    }
    cancelled_.store(false, std::memory_order_relaxed);
    return true;
}

void consumer_core::wait(receive_waiter& waiter) {
    // The producer writes the queue, then takes the waiter; here the waiter is put, then the queue
    // looked at. Both exchanges are of one variable, so one comes after the other: either the
    // producer finds the waiter, or what it wrote is seen here.
    waiting_.exchange(&waiter, std::memory_order_acq_rel);
    if (ready() && take_back(waiter)) {
        // This one, or its successor at the same address: the call is virtual.
        waiter.notify();
    }
}

bool consumer_core::take_back(receive_waiter& waiter) noexcept {
    receive_waiter* expected = &waiter;
    return waiting_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel);
}

namespace {
thread_local completion* innermost_completion = nullptr;
}

completion::completion(const consumer_core& core, const void* kind) noexcept
    : core_(core), kind_(kind), outer_(std::exchange(innermost_completion, this)) {}

completion::~completion() {
    innermost_completion = outer_;
}

completion* completion::innermost() noexcept {
    return innermost_completion;
}

void consumer_core::cancel() {
    if (!receiving_.load(std::memory_order_acquire)) {
        return;
    }
    // One that has been notified already finds this in its last step.
    cancelled_.store(true, std::memory_order_release);
    signal();
}

} // namespace ctflow::detail
