// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/netns.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <vector>

namespace ctflow::test {

using bytes = std::vector<unsigned char>;

// Sends an IP packet of any protocol, with all that follows the IP header as given: for protocols
// of which the kernel has no sockets.
void send_raw(const netns& from, const boost::asio::ip::address& source,
              const boost::asio::ip::address& destination, std::uint8_t protocol,
              const bytes& payload);

} // namespace ctflow::test
