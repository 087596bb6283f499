// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event/trailer_pool.hpp"
#include "transport/record_tag.hpp"
#include "transport/ring_pass.hpp"

#include <ctflow/event.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ctflow::transport {

// Reads the records of a BPF ring buffer (bpf_ringbuf_hdr in the kernel's kernel/bpf/ringbuf.c)
// from its memory, up to the kernel's position `head`, until `out` is full, or to a record that is
// still being written: the next cannot be had before it, and it is marked as `unfinished`. No I/O,
// no state, and no trust: whatever the memory holds, it reads inside of `data` and comes to an end.
//
// Records become events if they have the length of one, or more, are of the kind that this ring
// carries, and of IPv4 or IPv6. Discarded ones are passed over. When the framing itself is broken,
// nothing tells where the next record would begin: what is left counts as one malformed record, and
// is skipped.
//
// What follows a record comes from `trailers`.
//
// data.size() is a power of two, at least 8, and its begin aligned to 8 bytes; positions grow for
// ever and wrap around in it. The kernel maps the memory twice in a row, so that no record need be
// cut in two. Once is enough here: then nothing that a record says can lead beyond the end.
ring_pass read_bpf_ring(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                        event_kind kind, trailer_pool& trailers, std::span<event> out);

// The same of a ring with records of netfilter programs (bpf/netfilter_record.h): events, and a tag
// for each. Of the two spans the shorter one counts.
ring_pass read_netfilter_ring(std::span<const std::byte> data, std::uint64_t head,
                              std::uint64_t tail, trailer_pool& trailers, std::span<event> out,
                              std::span<record_tag> tags);

} // namespace ctflow::transport
