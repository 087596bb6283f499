// SPDX-License-Identifier: Apache-2.0
#include <ctflow/event.hpp>

#include <array>
#include <cstddef>
#include <ostream>
#include <string>

#include <netinet/in.h>

namespace ctflow {
namespace {

std::string protocol(std::uint8_t proto) {
    switch (proto) {
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_DCCP:
        return "dccp";
    case IPPROTO_GRE:
        return "gre";
    case IPPROTO_ICMPV6:
        return "icmpv6";
    case IPPROTO_SCTP:
        return "sctp";
    case IPPROTO_UDPLITE:
        return "udplite";
    default:
        return "proto " + std::to_string(proto);
    }
}

void append_endpoint(std::string& out, const event& e, const boost::asio::ip::address& address,
                     std::uint16_t port) {
    if (!e.has_ports()) {
        out += address.to_string();
        return;
    }
    const bool brackets = address.is_v6();
    out += brackets ? "[" : "";
    out += address.to_string();
    out += brackets ? "]:" : ":";
    out += std::to_string(port);
}

} // namespace

const char* to_string(event_kind kind) noexcept {
    switch (kind) {
    case event_kind::update:
        return "update";
    case event_kind::destroy:
        return "destroy";
    }
    return "unknown";
}

const char* to_string(tcp_state state) noexcept {
    static constexpr std::array names = {"NONE",     "SYN_SENT",   "SYN_RECV", "ESTABLISHED",
                                         "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
                                         "CLOSE",    "SYN_SENT2"};
    const auto index = static_cast<std::size_t>(state);
    return index < names.size() ? names[index] : "UNKNOWN";
}

std::string to_string(const event& e) {
    std::string out;
    out.reserve(256);
    out += to_string(e.kind());
    out += ' ';
    out += protocol(e.proto());
    out += ' ';
    append_endpoint(out, e, e.src_addr(), e.src_port());
    out += " > ";
    append_endpoint(out, e, e.dst_addr(), e.dst_port());
    out += " orig " + std::to_string(e.packets_orig()) + " packets " +
           std::to_string(e.bytes_orig()) + " bytes, reply " + std::to_string(e.packets_ret()) +
           " packets " + std::to_string(e.bytes_ret()) + " bytes";
    if (e.proto() == IPPROTO_TCP) {
        out += ' ';
        out += to_string(e.tcp_state());
    }
    if (e.connmark() != 0) {
        out += " mark " + std::to_string(e.connmark());
    }
    out += " netns " + std::to_string(e.netns()) + " id " + std::to_string(e.flow_id());
    return out;
}

std::ostream& operator<<(std::ostream& os, const event& e) {
    return os << to_string(e);
}

} // namespace ctflow
