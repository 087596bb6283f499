// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event/trailer_pool.hpp"
#include "transport/ring_pass.hpp"

#include <ctflow/event.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ctflow::transport {

// Reads perf records (perf_event_open(2), "MMAP layout") from a ring's memory, up to the kernel's
// position `head` or until `out` is full. No I/O, no state, and no trust: whatever the memory
// holds, it reads inside of `data` and comes to an end.
//
// Samples become events if they have the record's length, or more (the kernel pads), are of the
// kind that this ring carries, and of IPv4 or IPv6. Records of a type that nobody asked for are
// passed over. When the framing itself is broken, nothing tells where the next record would begin:
// what is left counts as one malformed record, and is skipped.
//
// What follows a record comes from `trailers`.
//
// data.size() is a power of two; positions grow for ever and wrap around in it.
ring_pass read_ring(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                    event_kind kind, trailer_pool& trailers, std::span<event> out);

} // namespace ctflow::transport
