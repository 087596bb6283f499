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
// The array holds its events. They go when its descriptor is closed, that of its BPF object. Those
// of a CPU that goes offline are dead from then on, even when it comes again
// (perf_event_exit_cpu_context() in the kernel's kernel/events/core.c): then it needs new ones.
class perf_buffer final : public buffer {
public:
    // pages: size of each ring, a power of two. The array is the one at `place` among those of the
    // states, which must outlive it.
    perf_buffer(int map_fd, std::size_t pages, const ring_states& states, std::size_t place,
                error_code& ec, diagnostics& diag);

    error_code renew(std::size_t cpu, const new_ring& take_over) override;

private:
    // A perf event, and the ring that it has.
    class event_ring {
    public:
        event_ring() = default;
        ~event_ring();
        event_ring(event_ring&& other) noexcept { swap(other); }
        event_ring& operator=(event_ring&& other) noexcept {
            swap(other);
            return *this;
        }

        // Returns an errno; ENODEV of a CPU that is offline.
        int open(std::size_t cpu, std::size_t pages) noexcept;
        int fd() const noexcept { return fd_; }
        ring_memory memory() const noexcept;

    private:
        void swap(event_ring& other) noexcept;

        int fd_ = -1;
        void* base_ = nullptr;
        std::size_t size_ = 0;
    };

    int open(std::size_t cpu, event_ring& r) const noexcept;
    ring ring_of(std::size_t cpu, const event_ring& r) const noexcept;

    const int map_fd_;
    const std::size_t pages_;
    const ring_states& states_;
    const std::size_t place_;
    std::vector<event_ring> events_; // By CPU.
};

} // namespace ctflow::transport
