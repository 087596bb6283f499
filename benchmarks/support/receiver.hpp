// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/cpu.hpp"

#include <ctflow/event.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ctflow::bench {

// Where events end: counts them, and sees that their numbers rise, so that none comes twice. If
// asked to, keeps how long each was under way. Of one thread, but for delivered().
class alignas(64) receiver {
public:
    // At most so many.
    void keep_latencies(std::size_t n) {
        latencies_.assign(n, 0); // Now, for the first touch of memory takes time.
        keeps_ = true;
    }

    // The receiving code goes on: what it takes now has arrived now.
    void woke() noexcept {
        if (keeps_) {
            now_ = boot_ns();
        }
    }

    void take(std::span<const event> batch) noexcept {
        for (const auto& e : batch) {
            disorder_ += e.conntrack() <= last_ ? 1 : 0;
            last_ = e.conntrack();
        }
        if (keeps_) {
            for (const auto& e : batch) {
                keep(now_ - e.timestamp().time_since_epoch().count());
            }
        }
        count(batch.size());
    }

    // Without a look at them.
    void count(std::size_t n) noexcept {
        delivered_.store(delivered() + n, std::memory_order_relaxed); // Nobody else writes it.
    }

    std::uint64_t delivered() const noexcept { return delivered_.load(std::memory_order_relaxed); }
    std::uint64_t disorder() const noexcept { return disorder_; }
    std::span<const std::int64_t> latencies() const noexcept { return {latencies_.data(), kept_}; }

private:
    void keep(std::int64_t latency) noexcept {
        if (kept_ < latencies_.size()) {
            latencies_[kept_++] = latency;
        }
    }

    std::atomic<std::uint64_t> delivered_{0};
    std::uint64_t last_ = 0;
    std::uint64_t disorder_ = 0;
    std::int64_t now_ = 0;
    bool keeps_ = false;
    std::vector<std::int64_t> latencies_;
    std::size_t kept_ = 0;
};

} // namespace ctflow::bench
