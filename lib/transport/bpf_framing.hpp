// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/ring_pass.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

#include <linux/bpf.h>

namespace ctflow::transport {

// The length and the flags of a BPF ring buffer's record. The kernel sets them last, with a barrier
// (bpf_ringbuf_commit()): what is read after them is what was written before.
inline std::uint32_t load_length(std::span<const std::byte> data, std::uint64_t position) noexcept {
    const auto offset = static_cast<std::size_t>(position & (data.size() - 1));
    // No std::atomic_ref, which C++20 has not for what is const.
    return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(data.data() + offset),
                           __ATOMIC_ACQUIRE);
}

// Goes through the records of a BPF ring buffer (bpf_ringbuf_hdr in the kernel's
// kernel/bpf/ringbuf.c), up to the kernel's position `head`, until `room` have been taken, or to a
// record that is still being written: the next cannot be had before it, and it is marked as
// `unfinished`. As little trust as in pass_over_perf, of which the rest is true, too.
//
// Discarded records are passed over. data's begin is aligned to 8 bytes.
template <class Take>
ring_pass pass_over_bpf(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                        std::size_t room, const Take& take) {
    constexpr std::uint64_t header_size = BPF_RINGBUF_HDR_SZ;

    ring_pass pass{.tail = tail};
    while (pass.tail != head && pass.events < room) {
        const std::uint64_t left = head - pass.tail;
        const bool possible = left >= header_size && left <= data.size() && pass.tail % 8 == 0;
        const std::uint32_t word = possible ? load_length(data, pass.tail) : 0;
        if ((word & BPF_RINGBUF_BUSY_BIT) != 0) {
            pass.unfinished = true;
            break;
        }
        const std::uint64_t length = word & ~BPF_RINGBUF_DISCARD_BIT;
        const std::uint64_t size = (header_size + length + 7) / 8 * 8;
        if (!possible || size > left) {
            ++pass.malformed;
            pass.tail = head;
            break;
        }
        if ((word & BPF_RINGBUF_DISCARD_BIT) == 0) {
            ++(take(pass.tail + header_size, length, pass.events) ? pass.events : pass.malformed);
        }
        pass.tail += size;
    }
    return pass;
}

} // namespace ctflow::transport
