// SPDX-License-Identifier: Apache-2.0
#include "names.hpp"

#include <netinet/in.h>

namespace examples {

std::string protocol(std::uint8_t number) {
    switch (number) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_ICMPV6:
        return "icmp6";
    case IPPROTO_SCTP:
        return "sctp";
    case IPPROTO_DCCP:
        return "dccp";
    case IPPROTO_GRE:
        return "gre";
    default:
        return std::to_string(number);
    }
}

std::string endpoint(const boost::asio::ip::address& address, std::uint16_t port, bool has_ports) {
    std::string text = address.to_string();
    if (has_ports) {
        text = (address.is_v6() ? '[' + text + ']' : text) + ':' + std::to_string(port);
    }
    return text;
}

} // namespace examples
