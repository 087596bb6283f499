// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ctflow {

/// What a BPF program has put into a ring buffer by one call of bpf_ringbuf_output(), or of
/// bpf_ringbuf_reserve() and bpf_ringbuf_submit(): of exactly that length, and its begin aligned to
/// 8 bytes.
struct ring_record {
    /// As it was sent.
    std::span<const std::byte> data;
};

/// What a ring_buffer has counted since it was opened. A plain copy. Records that find the ring
/// full are no part of it: the kernel tells the BPF program alone (-ENOSPC, or a null pointer),
/// which has to count them.
struct ring_buffer_stats {
    std::uint64_t records = 0;   ///< Received.
    std::uint64_t bytes = 0;     ///< Their length.
    std::uint64_t malformed = 0; ///< What was in the ring and is no record.
};

} // namespace ctflow
