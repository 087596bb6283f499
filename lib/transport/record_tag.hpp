// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ctflow::transport {

// What a program at netfilter's hooks says of a flow beside the record.
struct record_tag {
    std::uint16_t zone; // Conntrack's zone, in host order.
    bool begins;        // The flow's first packet: it is not in conntrack's table yet.
};

} // namespace ctflow::transport
