// SPDX-License-Identifier: Apache-2.0
#include "transport/bpf_ring.hpp"

#include "netfilter_record.h"
#include "transport/bpf_framing.hpp"
#include "transport/ring_bytes.hpp"

#include <algorithm>

namespace ctflow::transport {

ring_pass read_bpf_ring(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                        event_kind kind, trailer_pool& trailers, std::span<event> out) {
    return pass_over_bpf(data, head, tail, out.size(),
                         [&](std::uint64_t position, std::uint64_t length, std::size_t index) {
                             return load_event(data, position, length, kind, trailers, out[index]);
                         });
}

ring_pass read_netfilter_ring(std::span<const std::byte> data, std::uint64_t head,
                              std::uint64_t tail, trailer_pool& trailers, std::span<event> out,
                              std::span<record_tag> tags) {
    return pass_over_bpf(
        data, head, tail, std::min(out.size(), tags.size()),
        [&](std::uint64_t position, std::uint64_t length, std::size_t index) {
            constexpr auto size = sizeof(ctflow_netfilter_record);
            const auto update = length >= size ? load<ctflow_netfilter_record>(data, position)
                                               : ctflow_netfilter_record{};
            if (!is_record(update.record, event_kind::update)) {
                return false;
            }
            set_event(out[index], update.record, data, position + size, length - size, trailers);
            const auto age = std::uint64_t{update.age} << CTFLOW_ORIGIN_SHIFT;
            tags[index] = {.zone = static_cast<std::uint16_t>(update.zone),
                           .begins = update.begins != 0,
                           .born = update.born != 0,
                           .follows = update.follows != 0,
                           .origin = update.record.timestamp - age};
            return true;
        });
}

} // namespace ctflow::transport
