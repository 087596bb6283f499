// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ctflow {

/// What a BPF program has sent by one call of bpf_perf_event_output().
struct perf_record {
    /// As it was sent, and up to 7 bytes of padding behind it: the kernel keeps no other length.
    std::span<const std::byte> data;

    /// The number of the CPU on which it was sent.
    std::size_t cpu = 0;
};

/// The settings of a perf_buffer.
struct perf_buffer_options {
    /// Size of each CPU's ring, in pages (4 KiB as a rule): a power of two, 65536 at most.
    std::size_t pages = 64;

    /// Each so many records of a CPU wake a receive that waits; 0: when half of a ring is full.
    /// More than one saves wake-ups, and leaves records lying until there are as many, or flush()
    /// is called.
    std::uint32_t wakeup_records = 1;
};

/// What a perf_buffer has counted since it was opened. A plain copy.
struct perf_buffer_stats {
    std::uint64_t records = 0; ///< Received.
    std::uint64_t bytes = 0;   ///< Their length, padding included.

    /// Records that found their ring full, or paused. The kernel tells with the next record that
    /// finds room: until then they are not in here. Those of a CPU without a ring it tells the BPF
    /// program alone (-ENOENT).
    std::uint64_t lost = 0;

    std::uint64_t malformed = 0; ///< What was in the rings and is none of the kernel's records.
};

} // namespace ctflow
