// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ctflow::bench {

// Of this process.
std::uint64_t resident_kb();
std::uint64_t open_descriptors();

// How often its threads, those that are alive, went to sleep.
std::uint64_t voluntary_switches();

} // namespace ctflow::bench
