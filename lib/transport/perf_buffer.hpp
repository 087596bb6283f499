// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/error.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct perf_buffer;
struct perf_event_mmap_page;

namespace ctflow::transport {

// The memory that the kernel shares with us for one ring: we read between tail and head, and move
// the tail to give room back.
class ring_memory {
public:
    ring_memory(perf_event_mmap_page* control, std::span<const std::byte> data) noexcept
        : control_(control), data_(data) {}

    std::uint64_t head() const noexcept;
    std::uint64_t tail() const noexcept;
    void set_tail(std::uint64_t tail) const noexcept;
    std::span<const std::byte> data() const noexcept { return data_; }

private:
    perf_event_mmap_page* control_;
    std::span<const std::byte> data_;
};

// A perf event array filled with one ring for each CPU that is online. libbpf opens and maps
// them; they are read by us, since its own reader calls back for each record from inside C.
class perf_buffer {
public:
    struct ring {
        int fd;
        ring_memory memory;
    };

    // pages: size of each ring, a power of two. Each record wakes its reader up.
    perf_buffer(int map_fd, std::size_t pages, error_code& ec, diagnostics& diag);

    const std::vector<ring>& rings() const noexcept { return rings_; }

private:
    struct deleter {
        void operator()(::perf_buffer* b) const noexcept;
    };

    std::unique_ptr<::perf_buffer, deleter> buffer_;
    std::vector<ring> rings_;
};

} // namespace ctflow::transport
