// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/netlink.hpp"

#include <ctflow/error.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace ctflow::host {

// The number of the CPU that a message of the kernel says has come online
// (lib/kobject_uevent.c: "online@/devices/system/cpu/cpu3", and more after a zero byte); nothing if
// it is about anything else.
std::optional<std::size_t> cpu_come_online(std::string_view message) noexcept;

// What has happened.
struct kernel_news {
    std::vector<std::size_t> online; // CPUs, each once, in order.
    bool dropped = false;            // More than was to be heard: it may have been any.
};

// Hears of CPUs that come online, and of modules of conntrack's that go ("remove@/module/
// nf_conntrack" and more), which module_watch knows more of: from the kernel's messages to device
// managers. They are for all who listen, without any right, in network namespaces of the initial
// user namespace.
class kernel_events {
public:
    // If there are no such messages (a kernel without netlink, a sandbox) it hears nothing. It
    // fails if there is no descriptor or memory for it.
    explicit kernel_events(error_code& ec) noexcept;

    // Readable when there is something to take; -1 if it hears nothing.
    int fd() const noexcept { return socket_ ? mnl_socket_get_fd(socket_.get()) : -1; }

    // Takes what is there, without waiting.
    kernel_news take();

private:
    netlink_socket socket_;
};

} // namespace ctflow::host
