// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>
#include <ctflow/flow_tuple.hpp>

#include <cstdint>
#include <string>

namespace ctflow {

/// The flow that announced another one: an FTP control connection its data connection, say. A
/// helper of conntrack's (nf_conntrack_ftp and its like) reads that in its packets.
struct flow_master {
    std::uint64_t conntrack = 0; ///< Its event::conntrack().
    std::uint32_t flow_id = 0;   ///< Its event::flow_id().
    std::uint8_t proto = 0;      ///< IPPROTO_*
    flow_tuple original;         ///< Its ends, as event::original().

    /// Whether all is the same.
    friend bool operator==(const flow_master&, const flow_master&) = default;
};

/// What conntrack knows of one side of a TCP connection (ip_ct_tcp_state of the kernel's
/// linux/netfilter/nf_conntrack_tcp.h).
struct tcp_side {
    std::uint8_t flags = 0;        ///< IP_CT_TCP_FLAG_* of uapi/linux/netfilter/nf_conntrack_tcp.h.
    std::uint8_t window_scale = 0; ///< Exponent, if flags has IP_CT_TCP_FLAG_WINDOW_SCALE.

    /// Whether this side was the first to send a FIN: IP_CT_TCP_FLAG_CLOSE_INIT.
    bool closed_first() const noexcept { return (flags & 0x04) != 0; }

    /// Whether both are the same.
    friend bool operator==(const tcp_side&, const tcp_side&) = default;
};

/// Both sides of a TCP connection.
struct tcp_sides {
    tcp_side orig; ///< Who began the connection.
    tcp_side ret;  ///< Whom it was for.

    /// Whether both are the same.
    friend bool operator==(const tcp_sides&, const tcp_sides&) = default;
};

/// The process that began a flow: it ran when the kernel made the flow for a packet that one of
/// this host's sockets sent. A tunnel's packets go on behalf of who sends what is inside.
struct flow_process {
    std::uint32_t pid = 0;    ///< In the first pid namespace, the host's; of the whole process.
    std::uint64_t cgroup = 0; ///< Id of its cgroup, version 2: the inode of its directory.

    /// Name of the thread that sent it (/proc/PID/task/TID/comm): 15 bytes at most, any but zero,
    /// that it chose itself.
    std::string comm{};

    /// Whether all is the same.
    friend bool operator==(const flow_process&, const flow_process&) = default;
};

/// The directions of a flow that its zone holds for.
enum class zone_direction : std::uint8_t {
    original = 1, ///< The original one: the reply direction is in zone 0.
    reply = 2,    ///< The reply direction: the original one is in zone 0.
    both = 3,     ///< As a rule.
};

/// "original", "reply", "both".
CTFLOW_DECL const char* to_string(zone_direction direction) noexcept;

} // namespace ctflow
