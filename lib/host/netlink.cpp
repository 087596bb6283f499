// SPDX-License-Identifier: Apache-2.0
#include "host/netlink.hpp"

#include <cerrno>

#include <linux/netlink.h>
#include <sys/socket.h>

namespace ctflow::host {

netlink_socket connect_nfnetlink(int flags) noexcept {
    netlink_socket s(mnl_socket_open2(NETLINK_NETFILTER, flags | SOCK_CLOEXEC));
    if (s && mnl_socket_bind(s.get(), 0, MNL_SOCKET_AUTOPID) != 0) {
        const int error = errno;
        s.reset();
        errno = error;
    }
    return s;
}

} // namespace ctflow::host
