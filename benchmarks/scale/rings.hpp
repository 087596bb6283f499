// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ctflow::bench {

// What reading so many rings costs, in nanoseconds.
struct ring_costs {
    double wakeup;    // That finds one event in one ring; without the eventfd's write and read.
    double per_event; // When all rings are full.
};

// seconds: how long to try each.
ring_costs measure_rings(std::size_t rings, double seconds);

} // namespace ctflow::bench
