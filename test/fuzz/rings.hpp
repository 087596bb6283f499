// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fuzz.hpp"
#include "transport/ring_pass.hpp"

#include <ctflow/event.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ctflow::fuzz {

// Reads a ring of which nothing can be trusted: neither what is in it nor the positions, as a
// reader does, pass after pass. read(data, head, tail) makes one pass with room for `room` events.
//
// The input: 2 to the power of 6 plus its first byte (0 to 8) bytes of ring; the tail; how far the
// head is from it; and what is in the ring.
template <class Read>
void read_all(input in, std::size_t room, const Read& read) {
    const std::size_t size = std::size_t{64} << in.take<std::uint8_t>() % 9;
    auto tail = in.take<std::uint64_t>();
    const auto head = tail + in.take<std::uint64_t>();
    const exact_copy memory(in.rest(), size);

    // Each pass gets on, so that in a ring there is an end to it.
    for (std::size_t passes = 0; tail != head; ++passes) {
        require(passes <= size / 8 + 1);
        const transport::ring_pass pass = read(memory.bytes(), head, tail);
        require(pass.events <= room);
        require(head - pass.tail <= head - tail); // Neither back nor beyond.
        if (pass.unfinished) {
            break; // The reader looks again later.
        }
        require(pass.tail != tail);
        tail = pass.tail;
    }
}

} // namespace ctflow::fuzz
