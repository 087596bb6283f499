// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/filter.hpp>

#include <optional>
#include <string>
#include <vector>

namespace ctflow::kernel_cost {

// What becomes of the packets that are measured.
struct scene {
    std::string name;
    bool emitting; // Each has an event. Else the flows are silent, which is what packets do not pay
                   // for.
    std::optional<ctflow::filter> filter = {};
    bool zoned = false; // The flows are in a zone: their events have something more to say.
};

// In cooldown, refused by a filter, with an event; that with each of these filters; and, if wanted,
// with a trailer.
std::vector<scene> scenes(const std::vector<std::string>& filters, bool trailer);

} // namespace ctflow::kernel_cost
