// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

namespace ctflow::transport {

// Decides whether events come so fast that a reader had better look for them at intervals than be
// woken for each. A wake-up costs about a microsecond, most of it in the path of a packet; a look
// by oneself, about as much as some wake-ups.
class pace {
public:
    using time_point = std::chrono::steady_clock::time_point;

    // Fast is this many within an interval. A single event never is.
    static constexpr std::size_t many = 20;

    // An interval of zero: nothing is fast.
    explicit pace(std::chrono::nanoseconds interval) noexcept : interval_(interval) {}

    std::chrono::nanoseconds interval() const noexcept { return interval_; }

    // So many events have been found now.
    bool fast(std::size_t events, time_point now) noexcept {
        if (now - since_ >= interval_) {
            since_ = now;
            found_ = 0;
        }
        found_ += events;
        return interval_.count() != 0 && found_ >= many;
    }

private:
    std::chrono::nanoseconds interval_;
    time_point since_{};
    std::size_t found_ = 0;
};

} // namespace ctflow::transport
