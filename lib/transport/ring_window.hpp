// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ctflow::transport {

// Positions count bytes since the ring was made, and may go around.
constexpr bool is_at_or_after(std::uint64_t position, std::uint64_t other) noexcept {
    return static_cast<std::int64_t>(position - other) >= 0;
}

// The memory that the kernel shares with us for one ring, of either kind: we read between tail and
// head, and move the tail to give room back.
//
// Both kinds have the same rules: a read of the head comes before the read of what lies behind it,
// and what was read must be over before the tail is written (perf_event_open(2), "MMAP layout";
// __bpf_ringbuf_reserve() in the kernel's kernel/bpf/ringbuf.c).
class ring_window {
public:
    // The kernel's __u64, and its unsigned long on a machine of 64 bits.
    using position = unsigned long long;

    // One with nothing in it, ever.
    ring_window() noexcept : head_(&nothing), tail_(&nothing) {}

    ring_window(position* head, position* tail, std::span<const std::byte> data) noexcept
        : head_(head), tail_(tail), data_(data) {}

    std::uint64_t head() const noexcept {
        return std::atomic_ref(*head_).load(std::memory_order_acquire);
    }
    std::uint64_t tail() const noexcept {
        return std::atomic_ref(*tail_).load(std::memory_order_relaxed); // Nobody else writes it.
    }
    void set_tail(std::uint64_t tail) const noexcept {
        std::atomic_ref(*tail_).store(tail, std::memory_order_release);
    }

    std::span<const std::byte> data() const noexcept { return data_; }

private:
    static inline position nothing = 0;

    position* head_; // May be mapped read-only.
    position* tail_;
    std::span<const std::byte> data_;
};

} // namespace ctflow::transport
