// SPDX-License-Identifier: Apache-2.0
#include "host/kernel_events.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace ctflow::host {
namespace {

// Four bytes of a message as the filter loads them.
constexpr std::uint32_t word(std::string_view four) {
    std::uint32_t w = 0;
    for (const char c : four) {
        w = w << 8U | static_cast<unsigned char>(c);
    }
    return w;
}

constexpr std::string_view of_cpus = "online@/devices/system/cpu/cpu";
constexpr std::string_view of_modules = "remove@/module/nf_conntrack";

// Lets through what may be one of the two. A container that starts makes hundreds of others, which
// nobody is to be woken for.
void let_through_ours(int fd) noexcept {
    constexpr auto load = [](std::size_t at) {
        return sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(at)};
    };
    constexpr auto compare = [](std::string_view with, std::uint8_t then, std::uint8_t otherwise) {
        return sock_filter{BPF_JMP | BPF_JEQ | BPF_K, then, otherwise, word(with)};
    };
    constexpr auto accept = [](std::uint32_t bytes) {
        return sock_filter{BPF_RET | BPF_K, 0, 0, bytes};
    };
    constexpr std::size_t at_module = of_modules.find("nf_c");
    std::array code{load(0),
                    compare(of_cpus.substr(0, 4), 3, 0),
                    compare(of_modules.substr(0, 4), 0, 3),
                    load(at_module),
                    compare(of_modules.substr(at_module, 4), 0, 1),
                    accept(UINT32_MAX),
                    accept(0)};
    const sock_fprog program{code.size(), code.data()};
    // Without it there is but more to look at.
    (void)::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

} // namespace

std::optional<std::size_t> cpu_come_online(std::string_view message) noexcept {
    message = message.substr(0, message.find('\0'));
    if (!message.starts_with(of_cpus)) {
        return std::nullopt;
    }
    message.remove_prefix(of_cpus.size());
    std::size_t cpu = 0;
    const auto [end, ec] = std::from_chars(message.data(), message.data() + message.size(), cpu);
    if (ec != std::errc() || end != message.data() + message.size()) {
        return std::nullopt;
    }
    return cpu;
}

kernel_events::kernel_events(error_code& ec) noexcept
    : socket_(mnl_socket_open2(NETLINK_KOBJECT_UEVENT, SOCK_CLOEXEC | SOCK_NONBLOCK)) {
    constexpr unsigned of_the_kernel = 1; // The group; udev tells of its own in another.
    if (!socket_) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            ec.assign(errno, boost::system::system_category());
        }
        return;
    }
    let_through_ours(fd());
    if (mnl_socket_bind(socket_.get(), of_the_kernel, MNL_SOCKET_AUTOPID) != 0) {
        socket_.reset();
    }
}

kernel_news kernel_events::take() {
    kernel_news news;
    std::array<char, 8192> message{}; // UEVENT_BUFFER_SIZE is 2048.
    for (;;) {
        sockaddr_nl sender{};
        socklen_t length = sizeof(sender);
        const auto size = ::recvfrom(fd(), message.data(), message.size(), 0,
                                     reinterpret_cast<sockaddr*>(&sender), &length);
        if (size < 0 && errno == ENOBUFS) {
            news.dropped = true;
        } else if (size < 0 && errno != EINTR) {
            break;
        } else if (size > 0 && sender.nl_pid == 0) { // The kernel's, not of whoever can send.
            const std::string_view text(message.data(), static_cast<std::size_t>(size));
            if (const auto cpu = cpu_come_online(text)) {
                news.online.push_back(*cpu);
            }
        }
    }
    std::ranges::sort(news.online);
    news.online.erase(std::unique(news.online.begin(), news.online.end()), news.online.end());
    return news;
}

} // namespace ctflow::host
