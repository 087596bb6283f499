// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/ring_window.hpp"

#include <ctflow/error.hpp>

#include <cstddef>

namespace ctflow::transport {

// The memory of a BPF ring buffer, which came with its map, mapped by us.
class bpf_ring_map {
public:
    // How often in a row the data is mapped. Twice: no record is cut in two by the ring's end.
    enum class data { once, twice };

    bpf_ring_map(int map_fd, data d, error_code& ec);
    ~bpf_ring_map();
    bpf_ring_map(const bpf_ring_map&) = delete;
    bpf_ring_map& operator=(const bpf_ring_map&) = delete;

    // Its data is the ring's: what is mapped a second time comes behind.
    const ring_window& window() const noexcept { return window_; }

private:
    struct mapping {
        void* base = nullptr;
        std::size_t size = 0;
    };
    static mapping map(int fd, std::size_t size, int protection, std::size_t offset,
                       error_code& ec);
    static void unmap(const mapping& m) noexcept;

    mapping consumer_;
    mapping producer_;
    ring_window window_;
};

} // namespace ctflow::transport
