// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/event.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

namespace ctflow::bench {

// What people put between a thread that polls and one that works. In its better form: who waits is
// told only when the queue was empty, and takes all that there is at once. It holds as many events
// as a consumer of ctflow's.
class handover {
public:
    explicit handover(std::size_t capacity) : capacity_(capacity) {}

    void put(const event& e) {
        bool first = false;
        {
            const std::lock_guard lock(mutex_);
            if (queue_.size() == capacity_) {
                ++lost_;
                return;
            }
            first = queue_.empty();
            queue_.push_back(e);
        }
        if (first) {
            filled_.notify_one();
        }
    }

    // Waits. False if there will be no more.
    bool take(std::deque<event>& all) {
        all.clear();
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return closed_ || !queue_.empty(); });
        std::swap(all, queue_);
        return !all.empty();
    }

    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        filled_.notify_one();
    }

    std::uint64_t lost() const {
        const std::lock_guard lock(mutex_);
        return lost_;
    }

private:
    const std::size_t capacity_;
    mutable std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<event> queue_;
    std::uint64_t lost_ = 0;
    bool closed_ = false;
};

} // namespace ctflow::bench
