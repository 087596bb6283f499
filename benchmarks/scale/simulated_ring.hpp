// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/buffer.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ctflow::bench {

// A perf ring in plain memory, and an eventfd in the place of the perf event: a machine with as
// many CPUs as one likes.
class simulated_ring {
public:
    explicit simulated_ring(std::size_t size); // Bytes, a power of two.
    ~simulated_ring();
    simulated_ring(const simulated_ring&) = delete;
    simulated_ring& operator=(const simulated_ring&) = delete;

    transport::ring ring() noexcept;

    // What a kernel does: a record, the head, the wake-up.
    void write_record() noexcept;
    std::size_t fill() noexcept; // Returns how many events fit.
    void wake() const;

    // Readiness of an eventfd is a state, until it is read. That of a perf event ends by itself.
    void calm() const;

private:
    void put(std::uint64_t position, const void* from, std::size_t n) noexcept;

    std::vector<std::byte> data_;
    transport::ring_memory::position head_ = 0;
    transport::ring_memory::position tail_ = 0;
    int fd_;
};

} // namespace ctflow::bench
