// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/ring_bytes.hpp"
#include "transport/ring_pass.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

#include <linux/perf_event.h>

namespace ctflow::transport {

// Goes through the perf records (perf_event_open(2), "MMAP layout") of a ring's memory, up to the
// kernel's position `head`, or until `room` have been taken. No I/O, no state, and no trust:
// whatever the memory holds, it stays inside of `data` and comes to an end.
//
// `take` is given the position and the length of what each sample carries, and says whether it is
// any good. Records of a type that nobody asked for are passed over. When the framing itself is
// broken, nothing tells where the next record would begin: what is left counts as one malformed
// record, and is skipped.
//
// data.size() is a power of two; positions grow for ever and wrap around in it.
template <class Take>
ring_pass pass_over_perf(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                         std::size_t room, const Take& take) {
    // The bodies of the records that are looked into.
    struct sample_body {
        std::uint32_t size;
    };
    struct lost_body {
        std::uint64_t id;
        std::uint64_t lost;
    };
    constexpr std::size_t header_size = sizeof(perf_event_header);
    constexpr std::size_t sample_at = header_size + sizeof(sample_body);

    ring_pass pass{.tail = tail};
    while (pass.tail != head && pass.events < room) {
        const std::uint64_t left = head - pass.tail;
        const auto header = left >= header_size && left <= data.size()
                                ? load<perf_event_header>(data, pass.tail)
                                : perf_event_header{}; // A size of zero, which no record has.
        if (header.size < header_size || header.size > left || header.size % 8 != 0) {
            ++pass.malformed;
            pass.tail = head;
            break;
        }
        if (header.type == PERF_RECORD_SAMPLE) {
            // The raw size comes first, then so many bytes, the kernel's padding included.
            const auto raw = header.size >= sample_at
                                 ? load<sample_body>(data, pass.tail + header_size).size
                                 : std::uint32_t{0};
            const bool fits = header.size >= sample_at && raw <= header.size - sample_at;
            ++(fits && take(pass.tail + sample_at, raw, pass.events) ? pass.events
                                                                     : pass.malformed);
        } else if (header.type == PERF_RECORD_LOST) {
            if (header.size >= header_size + sizeof(lost_body)) {
                pass.lost += load<lost_body>(data, pass.tail + header_size).lost;
            } else {
                ++pass.malformed;
            }
        }
        pass.tail += header.size;
    }
    return pass;
}

} // namespace ctflow::transport
