// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/netlink.hpp"

#include <ctflow/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace ctflow::ctnetlink {

// A socket to ctnetlink that hears of flows' ends, and can ask. Nothing waits. The functions return
// 0 or an errno.
//
// How the kernel treats it (net/netlink/af_netlink.c): what finds no room is dropped, and so is all
// that comes after until the queue has been read empty; ENOBUFS tells of it once
// (netlink_overrun()). A list is written piece by piece, the first by the request itself and
// another whenever something has been read, into the same queue as the events.
class socket {
public:
    // In the network namespace of the calling thread. `buffer` is the memory that the kernel may
    // use for what has not been read.
    void open(std::size_t buffer, error_code& ec, diagnostics& diag);
    void close() noexcept { socket_.reset(); }

    // -1 if it is closed.
    int fd() const noexcept { return socket_ ? mnl_socket_get_fd(socket_.get()) : -1; }

    // Asks for all flows (an IPCTNL_MSG_CT_NEW each, then NLMSG_DONE), or for something small.
    int request_flows(std::uint32_t sequence) noexcept;
    int request_statistics(std::uint32_t sequence) noexcept;

    // Takes some datagrams; EAGAIN if there are none. What is there stays until the next call.
    int receive() noexcept;
    std::size_t received() const noexcept { return received_; }

    // The messages of one of them; none if it was not the kernel that sent it.
    std::span<const std::byte> datagram(std::size_t i) const noexcept;

    // Whether it was longer than what has been kept.
    bool truncated(std::size_t i) const noexcept;

    // How many messages the kernel has dropped.
    std::uint32_t drops() const noexcept;

private:
    // Lists come in pieces of this length at most, or of that of a memory page (netlink_dump()).
    static constexpr std::size_t datagram_length = 8192;
    static constexpr std::size_t datagrams_at_once = 32;

    void prepare();
    int send(int type, int flags, std::uint32_t sequence) noexcept;
    int try_out() noexcept;

    host::netlink_socket socket_;
    std::unique_ptr<std::byte[]> bytes_;
    std::array<sockaddr_nl, datagrams_at_once> senders_{};
    std::array<iovec, datagrams_at_once> places_{};
    std::array<mmsghdr, datagrams_at_once> headers_{};
    std::size_t received_ = 0;
};

} // namespace ctflow::ctnetlink
