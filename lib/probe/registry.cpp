// SPDX-License-Identifier: Apache-2.0
#include "probe/registry.hpp"

#include <algorithm>
#include <utility>

namespace ctflow::detail {

void registry::add(const std::shared_ptr<consumer_core>& c, error_code& ec) {
    const std::lock_guard lock(mutex_);
    prune_locked(); // The name of a consumer that is gone is free again.
    if (c->closed()) {
        ec = errc::consumer_closed;
    } else if (std::ranges::any_of(consumers_, [&](const auto& each) {
                   return each != c && each->name() == c->name();
               })) {
        ec = errc::duplicate_consumer;
    } else if (!c->acquire(this)) {
        ec = errc::consumer_registered;
    } else {
        consumers_.push_back(c);
        generation_.fetch_add(1, std::memory_order_release);
    }
}

template <class Predicate>
void registry::remove_if(Predicate matches, error_code& ec) {
    std::shared_ptr<consumer_core> removed;
    {
        const std::lock_guard lock(mutex_);
        prune_locked(); // Who has closed himself is gone already.
        const auto at = std::ranges::find_if(consumers_, matches);
        if (at == consumers_.end()) {
            ec = errc::unknown_consumer;
            return;
        }
        removed = *at;
        consumers_.erase(at);
        generation_.fetch_add(1, std::memory_order_release);
    }
    removed->close();
}

void registry::remove(std::string_view name, error_code& ec) {
    remove_if([name](const auto& each) { return each->name() == name; }, ec);
}

void registry::remove(const consumer_core& c, error_code& ec) {
    remove_if([&c](const auto& each) { return each.get() == &c; }, ec);
}

std::shared_ptr<const consumer_core> registry::find(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    for (const auto& each : consumers_) {
        if (each->name() == name && !each->closed()) {
            return each;
        }
    }
    return nullptr;
}

void registry::prune() {
    const std::lock_guard lock(mutex_);
    prune_locked();
}

void registry::prune_locked() {
    if (std::erase_if(consumers_, [](const auto& each) { return each->closed(); }) != 0) {
        generation_.fetch_add(1, std::memory_order_release);
    }
}

void registry::close() {
    consumer_list all;
    {
        const std::lock_guard lock(mutex_);
        all = std::exchange(consumers_, {});
        generation_.fetch_add(1, std::memory_order_release);
    }
    for (const auto& each : all) {
        each->close();
    }
}

registry::consumer_list registry::list() const {
    const std::lock_guard lock(mutex_);
    return consumers_;
}

} // namespace ctflow::detail
