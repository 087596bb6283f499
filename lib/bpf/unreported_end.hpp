// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "curve.h"

#include <ctflow/detail/record.h>

#include <cstdint>

namespace ctflow::bpf {

// The end of a flow that has had no record, as ctnetlink tells it.
struct unreported_end {
    const ctflow_record& record; // Its tuple; and when the end was read.
    std::uint16_t zone;          // Of the original direction.
    std::uint64_t stop;      // The kernel's time of the end (CLOCK_REALTIME), 0 if it notes none.
    std::uint64_t caught_up; // It was not before that time, by the clock of records.
};

// A reader that is not held up for longer, in ns, reads an end in this time.
constexpr std::int64_t longest_turn = 1'000'000'000;

// Whether what is remembered of its tuple is that flow's, and not that of another that may have
// begun since. `boot_to_real`: what to add to the clock of records for the kernel's.
bool is_its(const unreported_end& end, const ctflow_flow_state& flow,
            std::uint64_t boot_to_real) noexcept;

} // namespace ctflow::bpf
