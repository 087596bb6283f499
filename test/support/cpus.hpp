// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ctflow::test {

// The calling thread, and those that it starts.
void stay_on_cpu(unsigned cpu);

// Takes a CPU out of the running machine, or puts it back.
void set_online(std::size_t cpu, bool online);

} // namespace ctflow::test
