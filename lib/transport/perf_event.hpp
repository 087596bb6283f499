// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/ring_window.hpp"

#include <cstddef>
#include <cstdint>

namespace ctflow::transport {

// Opens an event that BPF programs on that CPU can write through. wakeup_events: its records wake
// the reader each so many; 0: none does, until half of the ring is full (rb->watermark in the
// kernel's kernel/events/ring_buffer.c). Returns a descriptor, or -1, and errno says why: ENODEV of
// a CPU that is offline.
int open_perf_event(std::size_t cpu, std::uint32_t wakeup_events) noexcept;

// Puts an event into a perf event array. The array takes a reference to it, and does not need its
// descriptor. False, and errno says why.
bool put_perf_event(int map_fd, std::size_t slot, int event_fd) noexcept;

// Takes it out again.
void remove_perf_event(int map_fd, std::size_t slot) noexcept;

// A perf event, and the ring that it has.
class perf_event_ring {
public:
    perf_event_ring() = default;
    ~perf_event_ring();
    perf_event_ring(perf_event_ring&& other) noexcept { swap(other); }
    perf_event_ring& operator=(perf_event_ring&& other) noexcept {
        swap(other);
        return *this;
    }

    // pages: a power of two. Returns an errno; ENODEV of a CPU that is offline.
    int open(std::size_t cpu, std::size_t pages, std::uint32_t wakeup_events = 1) noexcept;

    int fd() const noexcept { return fd_; }
    ring_window window() const noexcept;

private:
    void swap(perf_event_ring& other) noexcept;

    int fd_ = -1;
    void* base_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace ctflow::transport
