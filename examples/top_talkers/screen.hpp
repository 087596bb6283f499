// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "common/flow_table.hpp"

#include <ctflow/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace top_talkers {

/// Of a terminal, in characters.
struct extent {
    std::size_t columns = 80;
    std::size_t rows = 24;

    friend bool operator==(const extent&, const extent&) = default;
};

/// The moment that a screen shows.
struct moment {
    ctflow::boot_clock::time_point boot;                      ///< As events are stamped.
    std::chrono::sys_time<std::chrono::nanoseconds> calendar; ///< As flows' starts are.
};

/// Bytes a second: what the flow's source sends, and what comes back.
struct rates {
    double sent = 0;
    double back = 0;

    double both() const noexcept { return sent + back; }
};

/// What a flow moves now: what it has moved between its last two events, spread over that time, or
/// over the time since if that is longer. So a flow that has fallen silent fades.
rates rates_of(const examples::flow& f, ctflow::boot_clock::time_point now);

/// A screen: a line of sums, the line of heads, the flows that move most, those first that move
/// more, and a last line of what the user can do and has to know. No line is longer than the
/// terminal is wide, and there are as many as it is high. All are of ASCII.
///
/// A flow takes one line if its addresses fit, else two, the second for the destination: no address
/// is shortened on 80 columns or more. Wider terminals show more of each flow.
///
/// @param lost  events lost so far, for whatever reason
std::vector<std::string> screen(const examples::flow_table& flows, moment now, std::uint64_t lost,
                                extent size);

} // namespace top_talkers
