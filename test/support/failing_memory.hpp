// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace ctflow::test {

// While one lives, this thread gets no memory from the `nth` request on, counted from zero. For
// programs that have failing_memory.cpp among their sources, which stands before the allocation
// functions: with sanitizers, whose own those are, before operator new alone.
class failing_memory {
public:
    explicit failing_memory(std::size_t nth) noexcept;
    ~failing_memory();
    failing_memory(const failing_memory&) = delete;
    failing_memory& operator=(const failing_memory&) = delete;

    // Whether a request has failed.
    static bool happened() noexcept;
};

// How much was asked for, request by request, while that ran.
std::vector<std::size_t> requests_of(const std::function<void()>& f);

} // namespace ctflow::test
