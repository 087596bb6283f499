// SPDX-License-Identifier: Apache-2.0
#include "host/cpu_events.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include <linux/netlink.h>
#include <sys/socket.h>

namespace ctflow::host {

std::optional<std::size_t> cpu_come_online(std::string_view message) noexcept {
    constexpr std::string_view head = "online@/devices/system/cpu/cpu";
    message = message.substr(0, message.find('\0'));
    if (!message.starts_with(head)) {
        return std::nullopt;
    }
    message.remove_prefix(head.size());
    std::size_t cpu = 0;
    const auto [end, ec] = std::from_chars(message.data(), message.data() + message.size(), cpu);
    if (ec != std::errc() || end != message.data() + message.size()) {
        return std::nullopt;
    }
    return cpu;
}

cpu_events::cpu_events() noexcept
    : socket_(mnl_socket_open2(NETLINK_KOBJECT_UEVENT, SOCK_CLOEXEC | SOCK_NONBLOCK)) {
    constexpr unsigned of_the_kernel = 1; // The group; udev tells of its own in another.
    if (socket_ && mnl_socket_bind(socket_.get(), of_the_kernel, MNL_SOCKET_AUTOPID) != 0) {
        socket_.reset();
    }
}

std::vector<std::size_t> cpu_events::take(bool& all) {
    std::vector<std::size_t> found;
    std::array<char, 8192> message{}; // UEVENT_BUFFER_SIZE is 2048.
    for (;;) {
        sockaddr_nl sender{};
        socklen_t length = sizeof(sender);
        const auto size = ::recvfrom(fd(), message.data(), message.size(), 0,
                                     reinterpret_cast<sockaddr*>(&sender), &length);
        if (size < 0 && errno == ENOBUFS) {
            all = true;
        } else if (size < 0 && errno != EINTR) {
            return found;
        } else if (size > 0 &&
                   sender.nl_pid == 0) { // Of the kernel's own, not of whoever can send.
            if (const auto cpu =
                    cpu_come_online({message.data(), static_cast<std::size_t>(size)})) {
                found.push_back(*cpu);
            }
        }
    }
}

} // namespace ctflow::host
