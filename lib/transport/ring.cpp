// SPDX-License-Identifier: Apache-2.0
#include "transport/ring.hpp"

#include "transport/perf_framing.hpp"

namespace ctflow::transport {

ring_pass read_ring(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                    event_kind kind, std::span<event> out) noexcept {
    return pass_over_perf(data, head, tail, out.size(),
                          [&](std::uint64_t position, std::uint64_t length, std::size_t index) {
                              const auto record = length >= event_length
                                                      ? load<ctflow_record>(data, position)
                                                      : ctflow_record{};
                              const bool good = is_record(record, kind);
                              if (good) {
                                  out[index] = event(record);
                              }
                              return good;
                          });
}

} // namespace ctflow::transport
