// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ctflow::transport {

// What a program at netfilter's hooks says of a flow beside the record.
struct record_tag {
    std::uint16_t zone;       // Conntrack's zone, in host order.
    bool begins;              // The flow's first packet: it is not in conntrack's table yet.
    bool born = false;        // Its birth was seen: its origin is that, by the clock of records.
    std::uint64_t origin = 0; // By which the program remembers it, to a microsecond.
    bool follows = false; // There was another of its key, of which no record told, and whose end
                          // had not been read.
};

} // namespace ctflow::transport
