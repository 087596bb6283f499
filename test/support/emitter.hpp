// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct ctflow_emit;

namespace ctflow::test {

// Writes numbered records into real kernel perf buffers, from the CPU that it pins the calling
// thread to. Needs root, but no right to trace.
class emitter {
public:
    emitter();
    ~emitter();
    emitter(const emitter&) = delete;
    emitter& operator=(const emitter&) = delete;

    int map_fd() const;

    // Sends the next n records, at most 1024. Returns how many the ring took.
    std::uint64_t emit(std::uint32_t n);

private:
    struct deleter {
        void operator()(ctflow_emit* s) const noexcept;
    };
    std::unique_ptr<ctflow_emit, deleter> skeleton_;
};

} // namespace ctflow::test
