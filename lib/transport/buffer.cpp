// SPDX-License-Identifier: Apache-2.0
#include "transport/buffer.hpp"

#include "transport/perf_buffer.hpp"
#include "transport/ring_buffer.hpp"

namespace ctflow::transport {

std::unique_ptr<buffer> open_buffer(transport_kind transport, int map_fd, std::size_t pages,
                                    const ring_states& states, std::size_t place, error_code& ec,
                                    diagnostics& diag) {
    if (transport == transport_kind::ring_buffer) {
        return std::make_unique<ring_buffer>(map_fd, ring_buffer::content::records,
                                             states.of(place), ec);
    }
    return std::make_unique<perf_buffer>(map_fd, pages, states, place, ec, diag);
}

} // namespace ctflow::transport
