// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/buffer.hpp"

#include <ctflow/error.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace ctflow::transport {

// A BPF ring buffer: one ring for all CPUs, whose memory came with its map. Mapped and read by us,
// since libbpf's ring_buffer__consume() calls back for each record from inside C, and reads on
// until there is nothing left: it has no budget (as of libbpf 1.1), and who follows fast writers
// never comes back.
class ring_buffer final : public buffer {
public:
    // What is in the ring: records, or records with tags.
    enum class content { records, tagged };

    // The states must outlive it.
    ring_buffer(int map_fd, content c, std::span<ctflow_ring_state> states, error_code& ec);
    ~ring_buffer() override;

private:
    void* map(int fd, std::size_t size, int protection, std::size_t offset, error_code& ec);

    struct mapping {
        void* base;
        std::size_t size;
    };
    std::vector<mapping> mappings_;
};

} // namespace ctflow::transport
