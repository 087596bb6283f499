// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/kernel_events.hpp"
#include "host/unique_fd.hpp"
#include "transport/perf_event.hpp"

#include <ctflow/detail/perf_source.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ctflow::transport {

// The rings of a perf event array, each record as it is.
//
// The array keeps the events when this is gone. Without the rings, which go with their memory
// (perf_mmap_close() in the kernel's kernel/events/core.c), nobody can send through them. To take
// them out could be to take out those of another reader, who has replaced them.
class perf_records final : public detail::perf_source {
public:
    perf_records(int map_fd, const perf_buffer_options& options, error_code& ec, diagnostics& diag);

    int descriptor(error_code& ec) override;
    void start(error_code& ec, diagnostics& diag) override;
    void stop() noexcept override { (void)pause(true); }
    void mark() noexcept override;
    bool reached_mark() const noexcept override;
    void release() noexcept override;
    bool ready() const noexcept override;
    std::size_t take(std::span<perf_record> out) override;
    error_code look_why() override;
    error_code pause(bool paused) noexcept override;
    perf_buffer_stats stats() const noexcept override { return stats_; }

private:
    struct cpu_ring {
        std::size_t cpu;
        std::uint64_t name; // In the epoll set; a CPU may have had other rings.
        perf_event_ring events;
        ring_window window;
        std::uint64_t taken; // Up to where it was handed out; the kernel's tail may be behind.
        std::uint64_t mark;
        std::unique_ptr<std::byte[]> whole; // A record that was cut in two by the ring's end.
        bool dead = false;                  // Its CPU is gone, or has another ring.
    };

    int open(std::size_t cpu, cpu_ring& fresh);
    int add(std::size_t cpu);
    bool watch(std::uint64_t name, int fd, error_code& ec) const noexcept;
    void bury(cpu_ring& r) const noexcept;
    std::size_t take_from(cpu_ring& r, std::span<perf_record> out);
    std::span<const std::byte> bytes(const cpu_ring& r, std::uint64_t position,
                                     std::uint64_t length) const noexcept;
    void hear_news() noexcept;

    const perf_buffer_options options_;
    host::unique_fd map_fd_;
    std::size_t slots_ = 0;
    host::kernel_events events_; // Listens before rings are opened, so that no CPU is missed.
    int epoll_fd_ = -1;          // Not ours to close.
    std::vector<cpu_ring> rings_;
    std::uint64_t opened_ = 0; // Rings, of which the last has this name.
    std::size_t next_ = 0;     // Where the next take begins, for all to have their turn.
    std::size_t turns_ = 0;
    bool paused_ = false;
    perf_buffer_stats stats_;
};

} // namespace ctflow::transport
