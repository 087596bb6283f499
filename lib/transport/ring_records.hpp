// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/unique_fd.hpp"
#include "transport/bpf_ring_map.hpp"

#include <ctflow/detail/ring_source.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ctflow::transport {

// A BPF ring buffer, each record as it is.
class ring_records final : public detail::ring_source {
public:
    ring_records(host::unique_fd map_fd, error_code& ec);
    ~ring_records() override;

    int descriptor(error_code& ec) override;
    void start(error_code&, diagnostics&) override {} // Programs write to the map itself,
    void stop() noexcept override {}                  // and go on.
    void mark() noexcept override;
    bool reached_mark() const noexcept override;
    void release() noexcept override;
    bool ready() const noexcept override;
    std::size_t take(std::span<ring_record> out) override;
    error_code look_why() noexcept override;
    ring_buffer_stats stats() const noexcept override { return stats_; }

private:
    host::unique_fd map_fd_;
    bpf_ring_map map_;
    int epoll_fd_ = -1;   // Not ours to close.
    std::uint64_t taken_; // Up to where it was handed out; the consumer's position may be behind.
    std::uint64_t mark_ = 0;
    ring_buffer_stats stats_;
};

} // namespace ctflow::transport
