// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/record_tag.hpp"
#include "transport/ring_pass.hpp"
#include "transport/ring_states.hpp"

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>
#include <ctflow/event.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace ctflow::transport {

// The memory that the kernel shares with us for one ring, of either kind: we read between tail and
// head, and move the tail to give room back.
//
// Both kinds have the same rules: a read of the head comes before the read of what lies behind it,
// and what was read must be over before the tail is written (perf_event_open(2), "MMAP layout";
// __bpf_ringbuf_reserve() in the kernel's kernel/bpf/ringbuf.c).
class ring_memory {
public:
    // The kernel's __u64, and its unsigned long on a machine of 64 bits.
    using position = unsigned long long;

    // How the records are framed: read_ring or read_bpf_ring.
    using framing = ring_pass (*)(std::span<const std::byte> data, std::uint64_t head,
                                  std::uint64_t tail, event_kind kind,
                                  std::span<event> out) noexcept;

    // Of records that have tags: read_netfilter_ring. They are updates.
    using tagged_framing = ring_pass (*)(std::span<const std::byte> data, std::uint64_t head,
                                         std::uint64_t tail, std::span<event> out,
                                         std::span<record_tag> tags) noexcept;

    // One with nothing in it, ever.
    ring_memory() noexcept : head_(&nothing), tail_(&nothing) {}

    ring_memory(position* head, position* tail, std::span<const std::byte> data, framing f) noexcept
        : head_(head), tail_(tail), data_(data), read_(f) {}

    ring_memory(position* head, position* tail, std::span<const std::byte> data,
                tagged_framing f) noexcept
        : head_(head), tail_(tail), data_(data), read_tagged_(f) {}

    std::uint64_t head() const noexcept {
        return std::atomic_ref(*head_).load(std::memory_order_acquire);
    }
    std::uint64_t tail() const noexcept {
        return std::atomic_ref(*tail_).load(std::memory_order_relaxed); // Nobody else writes it.
    }
    void set_tail(std::uint64_t tail) const noexcept {
        std::atomic_ref(*tail_).store(tail, std::memory_order_release);
    }

    std::size_t size() const noexcept { return data_.size(); }
    bool tagged() const noexcept { return read_tagged_ != nullptr; }

    // Tags are written if tagged().
    ring_pass read(std::uint64_t head, std::uint64_t tail, event_kind kind, std::span<event> out,
                   std::span<record_tag> tags = {}) const noexcept {
        return tagged() ? read_tagged_(data_, head, tail, out, tags)
                        : read_(data_, head, tail, kind, out);
    }

private:
    static inline position nothing = 0;

    position* head_; // May be mapped read-only.
    position* tail_;
    std::span<const std::byte> data_;
    framing read_ = nullptr;
    tagged_framing read_tagged_ = nullptr;
};

// What can be waited for, and what is read then.
struct ring {
    int fd = -1; // Not yet there.
    ring_memory memory = {};
    std::span<ctflow_ring_state> states = {}; // Of those who write it.
};

// The rings behind one map of the BPF programs.
class buffer {
public:
    virtual ~buffer() = default;
    buffer(const buffer&) = delete;
    buffer& operator=(const buffer&) = delete;

    const std::vector<ring>& rings() const noexcept { return rings_; }

    // That CPU has come online, perhaps not for the first time. If it has a ring for itself it has
    // a new one now: `take_over` is called with it, after which the one before, if any, is gone.
    using new_ring = std::function<void(const ring&)>;
    virtual error_code renew(std::size_t cpu, const new_ring& take_over) {
        (void)cpu;
        (void)take_over;
        return {};
    }

protected:
    buffer() = default;
    void add(const ring& r) { rings_.push_back(r); }

private:
    std::vector<ring> rings_;
};

// Opens the rings of a map that was made for this transport, and has that place among the states.
// `pages` is config::buffer_pages.
std::unique_ptr<buffer> open_buffer(transport_kind transport, int map_fd, std::size_t pages,
                                    const ring_states& states, std::size_t place, error_code& ec,
                                    diagnostics& diag);

} // namespace ctflow::transport
