// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ctflow::bench {

// What it costs to hand an event to so many consumers, each of them a coroutine that receives
// batches in the same io_context, in nanoseconds of all together.
double measure_fanout(std::size_t consumers, double seconds);

} // namespace ctflow::bench
