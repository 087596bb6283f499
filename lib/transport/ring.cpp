// SPDX-License-Identifier: Apache-2.0
#include "transport/ring.hpp"

#include "transport/ring_bytes.hpp"

#include <linux/perf_event.h>

namespace ctflow::transport {
namespace {

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

} // namespace

ring_pass read_ring(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                    event_kind kind, std::span<event> out) noexcept {
    ring_pass pass{.tail = tail};
    while (pass.tail != head && pass.events < out.size()) {
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
            const bool fits = raw >= event_length && raw <= header.size - sample_at;
            const auto record =
                fits ? load<ctflow_record>(data, pass.tail + sample_at) : ctflow_record{};
            if (is_record(record, kind)) {
                out[pass.events++] = event(record);
            } else {
                ++pass.malformed;
            }
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
