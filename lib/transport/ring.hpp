// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/event.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ctflow::transport {

// What one pass over a ring brought.
struct ring_pass {
    std::size_t events = 0;      // written to the front of the output
    std::uint64_t tail = 0;      // where the next pass begins
    std::uint64_t lost = 0;      // as the kernel's LOST records say
    std::uint64_t malformed = 0; // records that are none of ours
};

// Reads perf records (perf_event_open(2), "MMAP layout") from a ring's memory, up to the kernel's
// position `head` or until `out` is full. No I/O, no state, and no trust: whatever the memory
// holds, it reads inside of `data` and comes to an end.
//
// Samples become events if they have the record's length, or more (the kernel pads), are of the
// kind that this ring carries, and of IPv4 or IPv6. Records of a type that nobody asked for are
// passed over. When the framing itself is broken, nothing tells where the next record would begin:
// what is left counts as one malformed record, and is skipped.
//
// data.size() is a power of two; positions grow for ever and wrap around in it.
ring_pass read_ring(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                    event_kind kind, std::span<event> out) noexcept;

} // namespace ctflow::transport
