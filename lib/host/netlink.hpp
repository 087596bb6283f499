// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <libmnl/libmnl.h>

namespace ctflow::host {

struct netlink_closer {
    void operator()(mnl_socket* s) const noexcept { mnl_socket_close(s); }
};
using netlink_socket = std::unique_ptr<mnl_socket, netlink_closer>;

// A connection to nfnetlink in the network namespace of the calling thread; `flags` are those of
// socket(2), SOCK_CLOEXEC is among them anyway. Null if there is none, and errno says why.
netlink_socket connect_nfnetlink(int flags = 0) noexcept;

} // namespace ctflow::host
