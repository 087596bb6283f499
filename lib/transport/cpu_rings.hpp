// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/buffer.hpp"
#include "transport/perf_event.hpp"
#include "transport/ring_states.hpp"

#include <ctflow/error.hpp>

#include <cstddef>
#include <vector>

namespace ctflow::transport {

// A perf event array filled with one ring for each CPU that is online, and two perf events for each
// ring: an eager and a lazy one (bpf/ring_state.h). libbpf's perf_buffer knows of one event a ring,
// and reads by calling back for each record from inside C.
//
// The array holds its events. They go when its descriptor is closed, that of its BPF object. Those
// of a CPU that goes offline are dead from then on, even when it comes again
// (perf_event_exit_cpu_context() in the kernel's kernel/events/core.c): then it needs new ones.
class cpu_rings final : public buffer {
public:
    // pages: size of each ring, a power of two. The array is the one at `place` among those of the
    // states, which must outlive it.
    cpu_rings(int map_fd, std::size_t pages, const ring_states& states, std::size_t place,
              error_code& ec, diagnostics& diag);

    error_code renew(std::size_t cpu, const new_ring& take_over) override;

private:
    int open(std::size_t cpu, perf_event_ring& r) const noexcept;
    ring ring_of(std::size_t cpu, const perf_event_ring& r) const noexcept;

    const int map_fd_;
    const std::size_t pages_;
    const ring_states& states_;
    const std::size_t place_;
    std::vector<perf_event_ring> events_; // By CPU.
};

} // namespace ctflow::transport
