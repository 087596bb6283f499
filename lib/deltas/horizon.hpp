// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ctflow::deltas {

// A moment before which flows may have had events that nobody remembers. In ns since boot, by the
// clock of events; starts are told by the wall clock, which can be set.
class horizon {
public:
    // `ahead`: of the boot clock, the wall clock.
    horizon(std::uint64_t at, std::uint64_t ahead) noexcept
        : at_(at), ahead_(ahead), most_ahead_(ahead) {}

    // To be called at each flow's first event: how far the wall clock is ahead now. What it has
    // reached before it was set back, or slewed, it reaches again, so that flows from before and
    // after can have one start.
    void look(std::uint64_t now, std::uint64_t ahead) noexcept;

    // Never back.
    void move_to(std::uint64_t at) noexcept;

    bool is_before(std::uint64_t timestamp) const noexcept { return at_ < timestamp; }

    // Whether a flow has surely begun after it. `start`: of any value, as records have it.
    bool began_after(std::uint64_t start) const noexcept;

private:
    std::uint64_t at_;
    std::uint64_t ahead_;
    std::uint64_t most_ahead_;  // Since it was set back.
    std::uint64_t reached_ = 0; // By the wall clock, before it was set back; 0 if it was not.
};

} // namespace ctflow::deltas
