// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <string>

namespace examples {

/// "tcp", "udp", "icmp", "icmp6", ...; the number of others.
std::string protocol(std::uint8_t number);

/// "192.0.2.1:443", "[2001:db8::1]:443"; the address alone where there are no ports.
std::string endpoint(const boost::asio::ip::address& address, std::uint16_t port, bool has_ports);

} // namespace examples
