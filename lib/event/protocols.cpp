// SPDX-License-Identifier: Apache-2.0
#include "event/protocols.hpp"

#include <algorithm>
#include <array>

#include <netinet/in.h>

namespace ctflow {
namespace {

struct named_protocol {
    std::uint8_t number;
    std::string_view name;
};

constexpr std::array protocols{
    named_protocol{IPPROTO_TCP, "tcp"},         named_protocol{IPPROTO_UDP, "udp"},
    named_protocol{IPPROTO_ICMP, "icmp"},       named_protocol{IPPROTO_ICMPV6, "icmpv6"},
    named_protocol{IPPROTO_SCTP, "sctp"},       named_protocol{IPPROTO_DCCP, "dccp"},
    named_protocol{IPPROTO_UDPLITE, "udplite"}, named_protocol{IPPROTO_GRE, "gre"},
};

} // namespace

std::string_view protocol_name(std::uint8_t number) noexcept {
    const auto* const found = std::ranges::find(protocols, number, &named_protocol::number);
    return found == protocols.end() ? std::string_view() : found->name;
}

std::optional<std::uint8_t> protocol_number(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(protocols, name, &named_protocol::name);
    return found == protocols.end() ? std::nullopt : std::optional(found->number);
}

} // namespace ctflow
