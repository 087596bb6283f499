// SPDX-License-Identifier: Apache-2.0
#include "consumer/consumer_service.hpp"

#include "consumer/signal_count.hpp"

namespace ctflow::detail {

void consumer_set::add(consumer_core& c) {
    const std::lock_guard lock(mutex_);
    consumers_.insert(&c);
}

void consumer_set::remove(consumer_core& c) noexcept {
    const std::lock_guard lock(mutex_);
    consumers_.erase(&c);
}

std::shared_ptr<signal_count> consumer_set::take_one(receive_waiter*& waiter) noexcept {
    const std::lock_guard lock(mutex_);
    if (consumers_.empty()) {
        return nullptr;
    }
    // Its destruction waits for the lock.
    auto& first = **consumers_.begin();
    waiter = first.take();
    auto signals = first.signals_;
    consumers_.erase(consumers_.begin());
    return signals;
}

void consumer_service::shutdown() {
    // Destroying a receive may destroy consumers, this one or others: so one at a time, and
    // without the lock.
    receive_waiter* waiter = nullptr;
    while (const auto signals = consumers_->take_one(waiter)) {
        if (waiter != nullptr) {
            waiter->destroy();
        }
        signals->await_others();
    }
}

} // namespace ctflow::detail
