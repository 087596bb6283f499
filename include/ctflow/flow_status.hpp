// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>
#include <ctflow/detail/record.h>

#include <cstdint>
#include <string>

namespace ctflow {

/// Bits of conntrack's status of a flow (enum ip_conntrack_status of the kernel's
/// uapi/linux/netfilter/nf_conntrack_common.h). Any number of them hold at a time; has() asks.
enum class flow_status : std::uint32_t {
    none = 0,                 ///< No bit.
    expected = 1U << 0,       ///< Another flow announced it: event::master().
    seen_reply = 1U << 1,     ///< Packets have gone both ways.
    assured = 1U << 2,        ///< It is not dropped early, should the table be full.
    confirmed = 1U << 3,      ///< It is in the table: its first packet has left the host.
    src_nat = 1U << 4,        ///< Its source is translated.
    dst_nat = 1U << 5,        ///< Its destination is.
    seq_adjust = 1U << 6,     ///< TCP sequence numbers are adjusted: a helper changes its data.
    src_nat_done = 1U << 7,   ///< It has been through source NAT, translated or not.
    dst_nat_done = 1U << 8,   ///< It has been through destination NAT, translated or not.
    dying = 1U << 9,          ///< It is out of the table.
    fixed_timeout = 1U << 10, ///< Packets do not prolong it.
    template_ = 1U << 11,     ///< It is none: rules keep settings in it.
    nat_clash = 1U << 12,     ///< It clashed with an equal one when it was inserted.
    helper = 1U << 13,        ///< A rule gave it a helper, such as that for FTP.
    offload = 1U << 14,       ///< A flowtable forwards its packets: event::offload().
    hw_offload = 1U << 15,    ///< A device does.
};

/// The bits of both.
constexpr flow_status operator|(flow_status a, flow_status b) noexcept {
    return static_cast<flow_status>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}

/// The bits that both have.
constexpr flow_status operator&(flow_status a, flow_status b) noexcept {
    return static_cast<flow_status>(static_cast<std::uint32_t>(a) & static_cast<std::uint32_t>(b));
}

/// Whether all these bits are set.
constexpr bool has(flow_status status, flow_status bits) noexcept {
    return (status & bits) == bits;
}

/// The names of the bits that are set, as the kernel has them without IPS_, with commas between:
/// "SEEN_REPLY,ASSURED,CONFIRMED". Those without a name are one number, in hexadecimal. Empty if
/// none is set.
CTFLOW_DECL std::string to_string(flow_status status);

/// Why a flow has ended.
enum class end_reason : std::uint8_t {
    unknown = CTFLOW_END_UNKNOWN, ///< Not an end; or nobody knows: one that was reconstructed; or
                                  ///< it was deleted or evicted, and not to be seen which; or more
                                  ///< (docs/details.md).
    timeout = CTFLOW_END_TIMEOUT, ///< Nothing was heard of it for too long.
    closed = CTFLOW_END_CLOSED,   ///< A TCP or SCTP connection that was closed or reset.
    deleted = CTFLOW_END_DELETED, ///< On request (`conntrack -D`), or with its network namespace.
    evicted =
        CTFLOW_END_EVICTED, ///< Conntrack's table was full. Not told by netfilter's hooks: unknown.
};

/// "unknown", "timeout", "closed", "deleted", "evicted".
CTFLOW_DECL const char* to_string(end_reason reason) noexcept;

/// Who forwards the packets of a flow.
enum class flow_offload : std::uint8_t {
    none,     ///< The network stack, with all its hooks.
    software, ///< A flowtable: its counters stand still, unless the flowtable has `counter`.
    hardware, ///< A network device, on behalf of one.
};

/// "none", "software", "hardware".
CTFLOW_DECL const char* to_string(flow_offload offload) noexcept;

} // namespace ctflow
