// SPDX-License-Identifier: Apache-2.0
#include "transport/buffer.hpp"

#include "transport/cpu_rings.hpp"
#include "transport/shared_ring.hpp"

namespace ctflow::transport {

std::unique_ptr<buffer> open_buffer(transport_kind transport, int map_fd, std::size_t pages,
                                    const ring_states& states, std::size_t place, error_code& ec,
                                    diagnostics& diag) {
    if (transport == transport_kind::ring_buffer) {
        return std::make_unique<shared_ring>(map_fd, shared_ring::content::records,
                                             states.of(place), ec);
    }
    return std::make_unique<cpu_rings>(map_fd, pages, states, place, ec, diag);
}

} // namespace ctflow::transport
