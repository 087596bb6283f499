// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/netns.hpp"

#include <ctflow/flow_status.hpp>
#include <ctflow/flow_tuple.hpp>

#include <bitset>
#include <cstdint>
#include <string>

namespace ctflow::test {

// What conntrack(8) says of the only flow that it lists in a namespace for these arguments, in its
// own words.
struct conntrack_listing {
    conntrack_listing(const netns& ns, const std::string& arguments);

    flow_tuple original;
    flow_tuple reply;
    std::uint32_t mark = 0;
    std::uint16_t zone = 0;
    std::string text;
};

// What conntrack(8) does not print: as ctnetlink tells it of the flow whose original direction has
// these ports.
struct conntrack_raw {
    conntrack_raw(const netns& ns, std::uint8_t family, std::uint16_t src_port,
                  std::uint16_t dst_port);

    flow_status status = flow_status::none;
    std::bitset<128> labels;
};

} // namespace ctflow::test
