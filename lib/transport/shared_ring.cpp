// SPDX-License-Identifier: Apache-2.0
#include "transport/shared_ring.hpp"

#include "transport/bpf_ring.hpp"

namespace ctflow::transport {

shared_ring::shared_ring(int map_fd, content c, std::span<ctflow_ring_state> states, error_code& ec)
    : map_(map_fd, bpf_ring_map::data::once, ec) {
    if (!ec) {
        add({map_fd,
             c == content::tagged ? ring_memory(map_.window(), read_netfilter_ring)
                                  : ring_memory(map_.window(), read_bpf_ring),
             states});
    }
}

} // namespace ctflow::transport
