// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ctflow::transport {

// What a program at netfilter's hooks says of a flow beside the record.
struct record_tag {
    std::uint16_t zone;       // Of the original direction (ctnetlink::flow_key).
    bool begins;              // The flow's first packet: it is not in conntrack's table yet.
    bool born = false;        // Its birth was seen: its origin is that, by the clock of records.
    bool follows = false;     // There was another of its key, without records, and it is not known
                              // whether its end has been read.
    std::uint64_t origin = 0; // By which the program remembers it, to a microsecond.
};

} // namespace ctflow::transport
