// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace ctflow::transport {

// Decides whether events come so fast that a reader had better look for them at intervals than be
// woken for each, and at which. A wake-up costs about a microsecond or, in virtual machines,
// several, most of it in the path of a packet; a look by oneself, about as much as some wake-ups.
class pace {
public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::nanoseconds;

    // Fast is this many within an interval. A single event never is.
    static constexpr std::size_t many = 20;

    // An interval of zero: nothing is fast. `room`: how many events a ring can hold.
    pace(duration interval, std::size_t room) noexcept
        : interval_(interval), room_(room), rest_(interval) {}

    duration interval() const noexcept { return interval_; }

    // So many events have been found now.
    bool fast(std::size_t events, time_point now) noexcept {
        if (now - since_ >= interval_) {
            since_ = now;
            found_ = 0;
        }
        found_ += events;
        return interval_.count() != 0 && found_ >= many;
    }

    // How long to rest after a look that found at most so many events in one ring: the interval,
    // but less where a ring would come to be more than about a quarter full meanwhile.
    duration rest(std::size_t events) noexcept {
        const auto quarter = std::max<std::size_t>(room_ / 4, 1);
        if (events > quarter) {
            const auto share = static_cast<double>(quarter) / static_cast<double>(events);
            rest_ = std::chrono::duration_cast<duration>(rest_ * share);
        } else {
            rest_ *= 2;
        }
        return rest_ = std::clamp(rest_, std::min(least, interval_), interval_);
    }

private:
    static constexpr duration least = std::chrono::microseconds(10);

    duration interval_;
    std::size_t room_;
    duration rest_;
    time_point since_{};
    std::size_t found_ = 0;
};

} // namespace ctflow::transport
