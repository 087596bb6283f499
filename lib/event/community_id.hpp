// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace ctflow {

// A flow as the kernel names it, in one direction.
struct raw_tuple {
    std::uint8_t family; // AF_INET or AF_INET6.
    std::uint8_t proto;
    std::span<const unsigned char, 16> src_addr; // IPv4 in the first 4 bytes.
    std::span<const unsigned char, 16> dst_addr;
    std::uint16_t src_port; // Network order, both; ICMP has its id here,
    std::uint16_t dst_port; // and type and code here.
};

// Its Community ID; see ctflow/community_id.hpp.
std::string community_id_of(const raw_tuple& t, std::uint16_t seed);

} // namespace ctflow
