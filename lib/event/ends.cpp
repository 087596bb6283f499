// SPDX-License-Identifier: Apache-2.0
#include "event/ends.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>

#include <netinet/in.h>

namespace ctflow {

bool has_ports(std::uint8_t proto) noexcept {
    switch (proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_DCCP:
    case IPPROTO_SCTP:
    case IPPROTO_UDPLITE:
        return true;
    default:
        return false;
    }
}

boost::asio::ip::address to_address(const unsigned char (&bytes)[16],
                                    std::uint8_t family) noexcept {
    using namespace boost::asio::ip;
    if (family == AF_INET) {
        address_v4::bytes_type v4;
        std::copy_n(bytes, v4.size(), v4.begin());
        return address_v4(v4);
    }
    address_v6::bytes_type v6;
    std::copy_n(bytes, v6.size(), v6.begin());
    return address_v6(v6);
}

std::uint16_t to_port(std::uint16_t network_order, std::uint8_t proto) noexcept {
    return has_ports(proto) ? ntohs(network_order) : std::uint16_t{0};
}

} // namespace ctflow
