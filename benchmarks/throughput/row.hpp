// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "subjects/catalogue.hpp"
#include "subjects/round.hpp"
#include "support/statistics.hpp"

#include <string>
#include <vector>

namespace ctflow::bench {

// All rounds of a variant.
struct row {
    const variant* of;
    books account; // Of all rounds together.
    spread delivered_per_second;
    spread sent_per_second;
    spread consumer_ns;      // CPU an event delivered.
    spread producer_ns;      // The same on the other side,
    spread producer_ns_sent; // and an event sent, lost ones included.
    std::vector<std::string> faults;
};

row summarize(const variant& v, const std::vector<round_result>& rounds);

} // namespace ctflow::bench
