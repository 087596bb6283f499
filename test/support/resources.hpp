// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ctflow::test {

// What a probe could leave behind: descriptors and memory of this process, objects of BPF in the
// kernel.
struct resources {
    std::size_t descriptors = 0;
    std::size_t mappings = 0; // Of maps and perf buffers.
    std::size_t programs = 0;
    std::size_t maps = 0;
    std::size_t links = 0;
    std::size_t heap_kb = 0; // Resident.

    static resources now();

    // Before the first test: a later look may still see what a probe before left.
    static const resources& at_first();
};

// The kernel frees BPF objects a while after their last reference is gone. Waits until there are no
// more than before, but not for ever.
void settle(const resources& before);

void check_same_in_process(const resources& before, const resources& after);
void check_same_in_kernel(const resources& before, const resources& after);

// Both.
void check_same(const resources& before, const resources& after);

// With AddressSanitizer, which keeps what is freed, it checks nothing: that judges leaks itself.
void check_memory(const resources& before, const resources& after, std::size_t tolerance_kb);

} // namespace ctflow::test
