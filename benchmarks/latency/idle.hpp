// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "subjects/catalogue.hpp"

#include <cstdint>

namespace ctflow::bench {

// How often a process goes to sleep, that is, was woken before, while there is nothing to do.
struct idle_result {
    const variant* of;
    double seconds;
    std::uint64_t switches;
};

idle_result watch_idle(const variant& v, double seconds);

} // namespace ctflow::bench
