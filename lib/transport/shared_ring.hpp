// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/bpf_ring_map.hpp"
#include "transport/buffer.hpp"

#include <ctflow/error.hpp>

#include <span>

namespace ctflow::transport {

// A BPF ring buffer: one ring for all CPUs. Read by us, since libbpf's ring_buffer__consume() calls
// back for each record from inside C, and reads on until there is nothing left: it has no budget
// (as of libbpf 1.1), and who follows fast writers never comes back.
class shared_ring final : public buffer {
public:
    // What is in the ring: records, or records with tags.
    enum class content { records, tagged };

    // The states must outlive it.
    shared_ring(int map_fd, content c, std::span<ctflow_ring_state> states, error_code& ec);

private:
    bpf_ring_map map_;
};

} // namespace ctflow::transport
