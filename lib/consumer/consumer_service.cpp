// SPDX-License-Identifier: Apache-2.0
#include "consumer/consumer_service.hpp"

namespace ctflow::detail {

void consumer_service::add(consumer_core& c) {
    const std::lock_guard lock(mutex_);
    consumers_.insert(&c);
}

void consumer_service::remove(consumer_core& c) noexcept {
    const std::lock_guard lock(mutex_);
    consumers_.erase(&c);
}

void consumer_service::shutdown() {
    // Destroying a receive may destroy consumers, this one or others: so one at a time, and
    // without the lock.
    for (;;) {
        receive_waiter* waiter = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (consumers_.empty()) {
                return;
            }
            consumer_core* c = *consumers_.begin();
            consumers_.erase(consumers_.begin());
            c->service_.store(nullptr);
            waiter = c->take();
        }
        if (waiter != nullptr) {
            waiter->destroy();
        }
    }
}

} // namespace ctflow::detail
