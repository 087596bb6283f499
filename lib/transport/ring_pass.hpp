// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ctflow::transport {

// What one pass over a ring brought.
struct ring_pass {
    std::size_t events = 0;      // written to the front of the output
    std::uint64_t tail = 0;      // where the next pass begins
    std::uint64_t lost = 0;      // as the kernel's LOST records say
    std::uint64_t malformed = 0; // records that are none of ours
    bool unfinished = false;     // stopped at a record that the kernel is still writing
};

} // namespace ctflow::transport
