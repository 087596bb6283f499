// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

struct ctflow_emit;

namespace ctflow::test {

// The calling thread, and those that it starts.
void stay_on_cpu(unsigned cpu);

// Writes numbered records into real perf buffers or a real ring buffer of the kernel, from the CPU
// that it pins the calling thread to. Needs root, but no right to trace.
class emitter {
public:
    // pages: of the ring buffer; perf buffers get their size when they are opened.
    emitter(transport_kind transport, std::size_t pages);
    ~emitter();
    emitter(const emitter&) = delete;
    emitter& operator=(const emitter&) = delete;

    int map_fd() const;

    // The states of its rings, which have one map.
    int ring_states_fd() const;

    // Sends the next n records, at most 1024. Returns how many the ring took.
    std::uint64_t emit(std::uint32_t n);

private:
    struct deleter {
        void operator()(ctflow_emit* s) const noexcept;
    };
    const transport_kind transport_;
    std::unique_ptr<ctflow_emit, deleter> skeleton_;
};

} // namespace ctflow::test
