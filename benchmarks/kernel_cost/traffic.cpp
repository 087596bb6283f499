// SPDX-License-Identifier: Apache-2.0
#include "traffic.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <numeric>
#include <string>
#include <system_error>

#include <arpa/inet.h>
#include <unistd.h>

namespace ctflow::kernel_cost {
namespace {

char payload[] = "ctflow";

// How many the table is made for, once there is one: what is built in, modprobe need not find.
std::string places(std::size_t most_flows) {
    test::shell("modprobe -qa nf_conntrack nf_conntrack_netlink nf_tables nft_ct dummy || true");
    return std::to_string(2 * most_flows + 1024);
}

// Each flow has a destination of its own: 50,000 ports, then the next address.
sockaddr_in destination(std::size_t flow) noexcept {
    constexpr std::size_t ports = 50'000;
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(static_cast<std::uint16_t>(1 + flow % ports));
    a.sin_addr.s_addr = htonl(static_cast<std::uint32_t>(0x0a00'0002 + flow / ports)); // 10.0.0.2
    return a;
}

} // namespace

traffic::traffic(std::size_t most_flows, bool zoned)
    : most_("netfilter/nf_conntrack_max", places(most_flows)),
      buckets_("netfilter/nf_conntrack_buckets", places(most_flows)), netns_("ctflow-cost"),
      flows_(most_flows), payload_{payload, sizeof(payload)} {
    // Where there is no such device, a cable that is not plugged in serves.
    netns_.run("sh -c 'ip link add d0 type dummy || ip link add d0 type veth && "
               "ip link set d0 arp off'");
    netns_.run("sh -c 'echo 1 > /proc/sys/net/ipv6/conf/d0/disable_ipv6'"); // it would speak up
    netns_.run("ip addr add 10.0.0.1/8 dev d0");
    netns_.run("ip link set d0 up");
    // Nobody answers, and no flow is to end meanwhile.
    netns_.run("sh -c 'echo 86400 > /proc/sys/net/netfilter/nf_conntrack_udp_timeout'");

    if (zoned) {
        netns_.run("nft 'table ip zones { chain output { type filter hook output priority raw; "
                   "ct zone set 7; }; }'");
    }

    const test::netns::inside inside(netns_);
    socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) {
        throw std::system_error(errno, std::generic_category(), "socket");
    }
    for (std::size_t i = 0; i < batch; ++i) {
        auto& header = messages_[i].msg_hdr;
        header.msg_name = &addresses_[i];
        header.msg_namelen = sizeof(addresses_[i]);
        header.msg_iov = &payload_;
        header.msg_iovlen = 1;
    }
    send(most_flows);
}

traffic::~traffic() {
    ::close(socket_);
}

// In strides of the golden section, so that each few packets are a fair sample of many flows.
void traffic::choose(std::size_t flows) noexcept {
    flows_ = flows;
    next_ = 0;
    stride_ = static_cast<std::size_t>(0.618034 * static_cast<double>(flows)) + 1;
    while (std::gcd(stride_, flows) != 1) {
        ++stride_;
    }
}

void traffic::send(std::size_t packets) {
    while (packets != 0) {
        const auto count = std::min(packets, batch);
        for (std::size_t i = 0; i < count; ++i) {
            addresses_[i] = destination(next_);
            next_ = (next_ + stride_) % flows_;
        }
        const int sent = ::sendmmsg(socket_, messages_.data(), static_cast<unsigned>(count), 0);
        if (sent != static_cast<int>(count)) {
            throw std::system_error(sent < 0 ? errno : EIO, std::generic_category(), "sendmmsg");
        }
        packets -= count;
    }
}

} // namespace ctflow::kernel_cost
