// SPDX-License-Identifier: Apache-2.0
#include "transport/ring_bytes.hpp"

namespace ctflow::transport {

void set_rest(event& out, std::span<const std::byte> data, std::uint64_t position,
              std::uint64_t length, trailer_pool& trailers) {
    if (length < sizeof(ctflow_trailer)) {
        out = event(out.record(), detail::trailer_ref(load<std::uint64_t>(data, position)));
    } else {
        out = trailers.make(out.record(), load<ctflow_trailer>(data, position));
    }
}

} // namespace ctflow::transport
