// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/buffer.hpp"
#include "transport/ring_states.hpp"

#include <ctflow/error.hpp>

#include <cstddef>
#include <vector>

namespace ctflow::transport {

// A perf event array filled with one ring for each CPU that is online, and two perf events for each
// ring: an eager and a lazy one (bpf/ring_state.h). libbpf's perf_buffer knows of one event a ring,
// and reads by calling back for each record from inside C.
//
// The array holds its events. They go when its descriptor is closed, that of its BPF object.
class perf_buffer final : public buffer {
public:
    // pages: size of each ring, a power of two. The array is the one at `place` among those of the
    // states, which must outlive it.
    perf_buffer(int map_fd, std::size_t pages, const ring_states& states, std::size_t place,
                error_code& ec, diagnostics& diag);
    ~perf_buffer() override;

private:
    struct mapped_event {
        int fd;
        void* base;
        std::size_t size;
    };

    // Returns an errno; ENODEV of a CPU that is offline.
    int open_ring(int map_fd, std::size_t cpu, std::size_t pages, const ring_states& states,
                  std::size_t place);

    std::vector<mapped_event> events_;
};

} // namespace ctflow::transport
