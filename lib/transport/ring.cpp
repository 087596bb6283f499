// SPDX-License-Identifier: Apache-2.0
#include "transport/ring.hpp"

#include "transport/perf_framing.hpp"

namespace ctflow::transport {

ring_pass read_ring(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                    event_kind kind, std::span<event> out) noexcept {
    return pass_over_perf(data, head, tail, out.size(),
                          [&](std::uint64_t position, std::uint64_t length, std::size_t index) {
                              return load_event(data, position, length, kind, out[index]);
                          });
}

} // namespace ctflow::transport
