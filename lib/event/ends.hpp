// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/flow_tuple.hpp>

#include <boost/asio/ip/address.hpp>

#include <cstdint>

namespace ctflow {

// Whether the protocol has ports where conntrack keeps them.
bool has_ports(std::uint8_t proto) noexcept;

// As records have it: of IPv4 in the first 4 bytes.
boost::asio::ip::address to_address(const unsigned char (&bytes)[16], std::uint8_t family) noexcept;

// In host order; 0 of protocols without ports, which keep an ICMP id or a GRE key there.
std::uint16_t to_port(std::uint16_t network_order, std::uint8_t proto) noexcept;

} // namespace ctflow
