// SPDX-License-Identifier: Apache-2.0
#include "support/conntrack_insert.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

namespace ctflow::test {
namespace {

using words = unsigned long long[2];

[[noreturn]] void fail() {
    throw std::system_error(errno, std::generic_category(), "ctnetlink");
}

// One direction of a flow.
struct direction {
    const words& src;
    const words& dst;
    std::uint16_t src_port;
    std::uint16_t dst_port;
    bool reply;
};

void put_icmp(nlmsghdr* m, std::uint8_t proto, std::uint16_t id, bool reply) {
    const bool v6 = proto == IPPROTO_ICMPV6;
    const std::uint8_t request = v6 ? 128 : 8;
    const std::uint8_t answer = v6 ? 129 : 0;
    mnl_attr_put_u16(m, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, htons(id));
    mnl_attr_put_u8(m, v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, reply ? answer : request);
    mnl_attr_put_u8(m, v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, 0);
}

void put_tuple(nlmsghdr* m, std::uint16_t type, const ctflow_filter_subject& s,
               const direction& d) {
    const bool v6 = s.family == CTFLOW_FAMILY_IPV6;
    const std::size_t length = v6 ? 16 : 4;
    auto* tuple = mnl_attr_nest_start(m, type);
    auto* ip = mnl_attr_nest_start(m, CTA_TUPLE_IP);
    mnl_attr_put(m, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, length, &d.src);
    mnl_attr_put(m, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, length, &d.dst);
    mnl_attr_nest_end(m, ip);
    auto* proto = mnl_attr_nest_start(m, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(m, CTA_PROTO_NUM, s.proto);
    if (s.proto == IPPROTO_ICMP || s.proto == IPPROTO_ICMPV6) {
        put_icmp(m, s.proto, s.src_port, d.reply);
    } else {
        mnl_attr_put_u16(m, CTA_PROTO_SRC_PORT, htons(d.src_port));
        mnl_attr_put_u16(m, CTA_PROTO_DST_PORT, htons(d.dst_port));
    }
    mnl_attr_nest_end(m, proto);
    mnl_attr_nest_end(m, tuple);
}

} // namespace

void conntrack_insert::closer::operator()(mnl_socket* s) const noexcept {
    ::mnl_socket_close(s);
}

conntrack_insert::conntrack_insert(const netns& ns) {
    const netns::inside in(ns);
    socket_.reset(mnl_socket_open(NETLINK_NETFILTER));
    if (!socket_ || mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
        fail();
    }
}

conntrack_insert::~conntrack_insert() = default;

void conntrack_insert::operator()(const ctflow_filter_subject& s) {
    auto* m = mnl_nlmsg_put_header(buffer_.data());
    m->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
    m->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
    auto* about = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(m, sizeof(nfgenmsg)));
    about->nfgen_family = s.family;
    put_tuple(m, CTA_TUPLE_ORIG, s, {s.src_addr, s.dst_addr, s.src_port, s.dst_port, false});
    put_tuple(m, CTA_TUPLE_REPLY, s, {s.dst_addr, s.src_addr, s.dst_port, s.src_port, true});
    mnl_attr_put_u32(m, CTA_TIMEOUT, htonl(3600));
    mnl_attr_put_u32(m, CTA_MARK, htonl(s.mark));
    mnl_attr_put_u16(m, CTA_ZONE, htons(s.zone));
    if (mnl_socket_sendto(socket_.get(), m, m->nlmsg_len) < 0) {
        fail();
    }
    const auto n = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
    if (n < 0 || mnl_cb_run(buffer_.data(), static_cast<std::size_t>(n), 0,
                            mnl_socket_get_portid(socket_.get()), nullptr, nullptr) < 0) {
        fail();
    }
}

} // namespace ctflow::test
