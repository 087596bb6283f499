// SPDX-License-Identifier: Apache-2.0
#include "ctnetlink/message.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ctflow::ctnetlink {
namespace {

// By their type, of which the highest that is asked for is CTA_TIMESTAMP.
using attributes = std::array<const nlattr*, CTA_TIMESTAMP + 1>;

int on_attribute(const nlattr* attribute, void* out) {
    auto& all = *static_cast<attributes*>(out);
    if (const auto type = mnl_attr_get_type(attribute); type < all.size()) {
        all[type] = attribute;
    }
    return MNL_CB_OK;
}

attributes nested(const nlattr* outer) noexcept {
    attributes found{};
    if (outer != nullptr) {
        (void)mnl_attr_parse_nested(outer, on_attribute, &found);
    }
    return found;
}

// Copies a value of exactly this size, in network order where it is a number. False if it is not
// there.
template <class T>
bool copy(const nlattr* attribute, T& to) noexcept {
    if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != sizeof(T)) {
        return false;
    }
    std::memcpy(&to, mnl_attr_get_payload(attribute), sizeof(T));
    return true;
}

// 0 if it is not there.
template <class T>
T raw(const nlattr* attribute) noexcept {
    T value{};
    (void)copy(attribute, value);
    return value;
}

std::uint64_t number64(const nlattr* attribute) noexcept {
    return be64toh(raw<std::uint64_t>(attribute));
}

bool copy_addresses(const nlattr* ip, std::uint8_t family, ctflow_ends& to) noexcept {
    const auto a = nested(ip);
    if (family == AF_INET6) {
        return copy(a[CTA_IP_V6_SRC], to.src_addr) && copy(a[CTA_IP_V6_DST], to.dst_addr);
    }
    std::array<unsigned char, 4> src;
    std::array<unsigned char, 4> dst;
    if (!copy(a[CTA_IP_V4_SRC], src) || !copy(a[CTA_IP_V4_DST], dst)) {
        return false;
    }
    std::memcpy(to.src_addr, src.data(), src.size());
    std::memcpy(to.dst_addr, dst.data(), dst.size());
    return true;
}

// Type and code lie in the tuple one behind the other.
std::uint16_t type_and_code(const nlattr* type, const nlattr* code) noexcept {
    const std::array both{raw<unsigned char>(type), raw<unsigned char>(code)};
    std::uint16_t value = 0;
    std::memcpy(&value, both.data(), both.size());
    return value;
}

bool copy_protocol(const nlattr* outer, std::uint8_t& proto, ctflow_ends& to) noexcept {
    const auto a = nested(outer);
    if (!copy(a[CTA_PROTO_NUM], proto)) {
        return false;
    }
    switch (proto) {
    case IPPROTO_ICMP:
        to.src_port = raw<std::uint16_t>(a[CTA_PROTO_ICMP_ID]);
        to.dst_port = type_and_code(a[CTA_PROTO_ICMP_TYPE], a[CTA_PROTO_ICMP_CODE]);
        break;
    case IPPROTO_ICMPV6:
        to.src_port = raw<std::uint16_t>(a[CTA_PROTO_ICMPV6_ID]);
        to.dst_port = type_and_code(a[CTA_PROTO_ICMPV6_TYPE], a[CTA_PROTO_ICMPV6_CODE]);
        break;
    default: // A protocol that has none leaves them out.
        to.src_port = raw<std::uint16_t>(a[CTA_PROTO_SRC_PORT]);
        to.dst_port = raw<std::uint16_t>(a[CTA_PROTO_DST_PORT]);
    }
    return true;
}

// One direction's tuple.
bool copy_tuple(const nlattr* outer, std::uint8_t family, std::uint8_t& proto,
                ctflow_ends& to) noexcept {
    const auto a = nested(outer);
    return copy_addresses(a[CTA_TUPLE_IP], family, to) &&
           copy_protocol(a[CTA_TUPLE_PROTO], proto, to);
}

void set_zone(message& m, const attributes& a) noexcept {
    std::uint16_t value = 0;
    if (copy(a[CTA_ZONE], value)) {
        m.zone_dir = 3;
    } else if (copy(nested(a[CTA_TUPLE_ORIG])[CTA_TUPLE_ZONE], value)) {
        m.zone_dir = 1;
    } else if (copy(nested(a[CTA_TUPLE_REPLY])[CTA_TUPLE_ZONE], value)) {
        m.zone_dir = 2;
    }
    m.zone = ntohs(value);
    m.key.zone = original_zone(m.zone, m.zone_dir);
}

// What the reply direction is unless something translates it. The ports of ICMP are none: type and
// code of the reply are others, and conntrack's to know.
bool is_mirror(const ctflow_ends& reply, const ctflow_ends& orig, std::uint8_t proto) noexcept {
    const bool icmp = proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
    return std::ranges::equal(reply.src_addr, orig.dst_addr) &&
           std::ranges::equal(reply.dst_addr, orig.src_addr) &&
           (icmp ? reply.src_port == orig.src_port
                 : reply.src_port == orig.dst_port && reply.dst_port == orig.src_port);
}

void set_reply(message& m, const nlattr* tuple, const ctflow_ends& orig) noexcept {
    ctflow_ends reply{};
    std::uint8_t proto = 0;
    if (copy_tuple(tuple, m.key.family, proto, reply) && !is_mirror(reply, orig, m.key.proto)) {
        m.reply = reply;
    }
}

void set_state(message& m, const nlattr* info) noexcept {
    const auto a = nested(info);
    if (m.key.proto == IPPROTO_TCP) {
        m.tcp_state = raw<std::uint8_t>(nested(a[CTA_PROTOINFO_TCP])[CTA_PROTOINFO_TCP_STATE]);
    } else if (m.key.proto == IPPROTO_SCTP) {
        m.sctp_state = raw<std::uint8_t>(nested(a[CTA_PROTOINFO_SCTP])[CTA_PROTOINFO_SCTP_STATE]);
    }
}

bool counters(const nlattr* outer, std::uint64_t& packets, std::uint64_t& bytes) noexcept {
    const auto a = nested(outer);
    packets = number64(a[CTA_COUNTERS_PACKETS]);
    bytes = number64(a[CTA_COUNTERS_BYTES]);
    return a[CTA_COUNTERS_PACKETS] != nullptr && a[CTA_COUNTERS_BYTES] != nullptr;
}

std::optional<message_kind> kind_of(const nlmsghdr& header) noexcept {
    if (NFNL_SUBSYS_ID(header.nlmsg_type) != NFNL_SUBSYS_CTNETLINK) {
        return std::nullopt;
    }
    switch (NFNL_MSG_TYPE(header.nlmsg_type)) {
    case IPCTNL_MSG_CT_NEW:
        return message_kind::flow;
    case IPCTNL_MSG_CT_DELETE:
        return message_kind::end;
    default:
        return std::nullopt;
    }
}

} // namespace

std::optional<message> parse(std::span<const std::byte> bytes) noexcept {
    constexpr std::size_t before = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(nfgenmsg));
    if (bytes.size() < before) {
        return std::nullopt;
    }
    const auto* header = reinterpret_cast<const nlmsghdr*>(bytes.data());
    const auto kind = kind_of(*header);
    if (!kind || header->nlmsg_len < before || header->nlmsg_len > bytes.size()) {
        return std::nullopt;
    }
    const auto* about = static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(header));
    if (about->nfgen_family != AF_INET && about->nfgen_family != AF_INET6) {
        return std::nullopt;
    }

    // Not mnl_attr_parse(), which rounds the length of the message up.
    const auto behind = bytes.first(header->nlmsg_len).subspan(before);
    attributes a{};
    (void)mnl_attr_parse_payload(behind.data(), behind.size(), on_attribute, &a);

    message m{};
    m.kind = *kind;
    m.key.family = about->nfgen_family;
    ctflow_ends ends{};
    if (!copy_tuple(a[CTA_TUPLE_ORIG], m.key.family, m.key.proto, ends)) {
        return std::nullopt;
    }
    std::ranges::copy(ends.src_addr, m.key.src_addr.begin());
    std::ranges::copy(ends.dst_addr, m.key.dst_addr.begin());
    m.key.src_port = ends.src_port;
    m.key.dst_port = ends.dst_port;
    set_zone(m, a);
    set_reply(m, a[CTA_TUPLE_REPLY], ends);
    m.status = ntohl(raw<std::uint32_t>(a[CTA_STATUS]));
    m.time_left = raw<std::uint32_t>(a[CTA_TIMEOUT]) != 0;

    const bool orig = counters(a[CTA_COUNTERS_ORIG], m.packets_orig, m.bytes_orig);
    const bool ret = counters(a[CTA_COUNTERS_REPLY], m.packets_ret, m.bytes_ret);
    m.has_counters = orig && ret;

    const auto times = nested(a[CTA_TIMESTAMP]);
    m.start = number64(times[CTA_TIMESTAMP_START]);
    m.stop = number64(times[CTA_TIMESTAMP_STOP]);

    m.mark = ntohl(raw<std::uint32_t>(a[CTA_MARK]));
    set_state(m, a[CTA_PROTOINFO]);
    return m;
}

} // namespace ctflow::ctnetlink
