// SPDX-License-Identifier: Apache-2.0
#include "transport/ring.hpp"

#include "transport/perf_framing.hpp"

namespace ctflow::transport {

ring_pass read_ring(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                    event_kind kind, trailer_pool& trailers, std::span<event> out) {
    return pass_over_perf(data, head, tail, out.size(),
                          [&](std::uint64_t position, std::uint64_t length, std::size_t index) {
                              return load_event(data, position, length, kind, trailers, out[index]);
                          });
}

} // namespace ctflow::transport
