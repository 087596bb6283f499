// SPDX-License-Identifier: Apache-2.0
#include "ctnetlink/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/sock_diag.h>

namespace ctflow::ctnetlink {
namespace {

// The kernel doubles what is asked for (sock_setsockopt()), to make up for what it adds to each
// message; that is in the count here.
void set_buffer(int fd, std::size_t bytes) noexcept {
    const auto half =
        static_cast<int>(std::min(bytes / 2, std::size_t{std::numeric_limits<int>::max() / 2}));
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &half, sizeof(half)) != 0) {
        // Without CAP_NET_ADMIN in the first user namespace: up to net.core.rmem_max.
        (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &half, sizeof(half));
    }
}

error_code explained(int error, diagnostics& diag) {
    switch (error) {
    case EPERM:
    case EACCES:
        diag = "the netlink socket that tells of flows' ends needs CAP_NET_ADMIN in the network "
               "namespace";
        return errc::missing_capabilities;
    case EPROTONOSUPPORT: // No nfnetlink.
    case EAFNOSUPPORT:    // No netlink at all.
    case EINVAL:          // Nobody there for ctnetlink's messages (nfnetlink_rcv_msg()).
    case EOPNOTSUPP:
        return errc::ctnetlink_missing;
    case EMFILE:
        diag = "raise ulimit -n";
        return {error, boost::system::system_category()};
    default:
        diag = "opening a netlink socket that tells of flows' ends";
        return {error, boost::system::system_category()};
    }
}

} // namespace

void socket::open(std::size_t buffer, error_code& ec, diagnostics& diag) {
    ec = {};
    prepare();
    socket_ = host::connect_nfnetlink(SOCK_NONBLOCK);
    int error = socket_ ? 0 : errno;
    if (error == 0) {
        // First: it has the module loaded, if that can be. To join the group of a module that is
        // not there is no error.
        error = try_out();
    }
    if (error == 0) {
        set_buffer(fd(), buffer);
        int group = NFNLGRP_CONNTRACK_DESTROY;
        if (mnl_socket_setsockopt(socket_.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) !=
            0) {
            error = errno;
        }
    }
    if (error != 0) {
        close();
        ec = explained(error, diag);
    }
}

int socket::request_flows(std::uint32_t sequence) noexcept {
    return send(IPCTNL_MSG_CT_GET, NLM_F_DUMP, sequence);
}

int socket::request_statistics(std::uint32_t sequence) noexcept {
    return send(IPCTNL_MSG_CT_GET_STATS, 0, sequence);
}

int socket::receive() noexcept {
    received_ = 0;
    const int n = ::recvmmsg(fd(), headers_.data(), datagrams_at_once,
                             MSG_DONTWAIT | MSG_CMSG_CLOEXEC, nullptr);
    if (n < 0) {
        return errno;
    }
    received_ = static_cast<std::size_t>(n);
    return 0;
}

std::span<const std::byte> socket::datagram(std::size_t i) const noexcept {
    if (senders_[i].nl_pid != 0) {
        return {};
    }
    return {bytes_.get() + i * datagram_length, headers_[i].msg_len};
}

bool socket::truncated(std::size_t i) const noexcept {
    return (headers_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
}

std::uint32_t socket::drops() const noexcept {
    std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
    socklen_t length = sizeof(info);
    (void)::getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, info.data(), &length);
    return info[SK_MEMINFO_DROPS];
}

void socket::prepare() {
    if (!bytes_) {
        bytes_ = std::make_unique<std::byte[]>(datagram_length * datagrams_at_once);
    }
    for (std::size_t i = 0; i < datagrams_at_once; ++i) {
        places_[i] = {bytes_.get() + i * datagram_length, datagram_length};
        auto& m = headers_[i].msg_hdr;
        m = {};
        m.msg_name = &senders_[i];
        m.msg_namelen = sizeof(senders_[i]);
        m.msg_iov = &places_[i];
        m.msg_iovlen = 1;
    }
}

int socket::send(int type, int flags, std::uint32_t sequence) noexcept {
    alignas(nlmsghdr) std::array<char, MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(nfgenmsg))> bytes{};
    auto* const header = mnl_nlmsg_put_header(bytes.data());
    header->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type);
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header->nlmsg_seq = sequence;
    auto* const about =
        static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
    about->nfgen_family = AF_UNSPEC;
    about->version = NFNETLINK_V0;
    return mnl_socket_sendto(socket_.get(), header, header->nlmsg_len) < 0 ? errno : 0;
}

// Asks something harmless. The kernel has answered when the request has been sent.
int socket::try_out() noexcept {
    if (const int error = request_statistics(0); error != 0) {
        return error;
    }
    if (const int error = receive(); error != 0) {
        return error;
    }
    const auto answer = datagram(0);
    const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
    if (answer.size() < sizeof(nlmsghdr) + sizeof(nlmsgerr) || header->nlmsg_type != NLMSG_ERROR) {
        return 0;
    }
    return -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header))->error;
}

} // namespace ctflow::ctnetlink
