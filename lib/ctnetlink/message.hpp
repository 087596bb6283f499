// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/trailer.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ctflow::ctnetlink {

// What conntrack tells flows apart by: the original direction's tuple, and the zone that holds for
// that direction. The fields are those of a ctflow_record.
//
// No padding: it is hashed and compared as bytes.
struct flow_key {
    std::array<unsigned char, 16> src_addr; // IPv4 in the first 4 bytes, the rest is zero.
    std::array<unsigned char, 16> dst_addr;
    std::uint16_t src_port; // As the kernel's nf_conntrack_tuple has src.u.all, in network order:
    std::uint16_t dst_port; // a port, GRE's key, or ICMP's id here, and its type and code there.
    std::uint16_t zone;     // In host order; 0 if it holds for the reply alone (nf_ct_zone_id()).
    std::uint8_t proto;     // IPPROTO_*
    std::uint8_t family;    // AF_INET or AF_INET6

    friend bool operator==(const flow_key&, const flow_key&) = default;
};
static_assert(sizeof(flow_key) == 40);

// The zone of a flow's key. `directions`: that the zone holds for, as ctflow_trailer has them.
constexpr std::uint16_t original_zone(std::uint16_t zone, std::uint8_t directions) noexcept {
    return (directions & 1) != 0 ? zone : std::uint16_t{};
}

enum class message_kind : std::uint8_t {
    flow, // IPCTNL_MSG_CT_NEW: of a dump, a flow that conntrack's table holds.
    end,  // IPCTNL_MSG_CT_DELETE: a flow has ended.
};

// What a message of ctnetlink's says of a flow. The kernel writes them in
// net/netfilter/nf_conntrack_netlink.c: ctnetlink_conntrack_event() for an end and
// ctnetlink_fill_info() for a dump; the attributes are those of
// uapi/linux/netfilter/nfnetlink_conntrack.h. Integers are in host order but for those of the key.
struct message {
    message_kind kind;

    // CTA_TUPLE_ORIG (ctnetlink_dump_tuples(), and each protocol's tuple_to_nlattr). The zone is
    // CTA_ZONE or, where it holds for one direction only, CTA_TUPLE_ZONE of that one's tuple
    // (ctnetlink_dump_zone_id()). Zone 0 is not told.
    flow_key key;
    std::uint16_t zone;    // In host order.
    std::uint8_t zone_dir; // The directions that it holds for: ctflow_trailer's.

    // CTA_TUPLE_REPLY, where it is not the mirror of the key.
    std::optional<ctflow_ends> reply;

    std::uint32_t status; // CTA_STATUS (ctnetlink_dump_status()).
    bool time_left;       // CTA_TIMEOUT (ctnetlink_dump_timeout()): a second or more.

    // CTA_COUNTERS_ORIG and CTA_COUNTERS_REPLY (ctnetlink_dump_acct()). A flow that began while
    // nf_conntrack_acct was 0 has none.
    bool has_counters;
    std::uint64_t packets_orig;
    std::uint64_t bytes_orig;
    std::uint64_t packets_ret;
    std::uint64_t bytes_ret;

    // CTA_TIMESTAMP (ctnetlink_dump_timestamp()), ns since the epoch; 0 of a flow that began while
    // nf_conntrack_timestamp was 0. The stop is that of an end.
    std::uint64_t start;
    std::uint64_t stop;

    std::uint32_t mark;      // CTA_MARK (ctnetlink_dump_mark()), which is not told if it is 0.
    std::uint8_t tcp_state;  // CTA_PROTOINFO_TCP_STATE (tcp_to_nlattr()), enum tcp_conntrack.
    std::uint8_t sctp_state; // CTA_PROTOINFO_SCTP_STATE (sctp_to_nlattr()), enum sctp_conntrack.
};

// Reads the message at the beginning of `bytes`, which are aligned as a nlmsghdr is. Nothing if it
// is none of these kinds, or does not have the tuple of an IPv4 or IPv6 flow, or is broken.
std::optional<message> parse(std::span<const std::byte> bytes) noexcept;

} // namespace ctflow::ctnetlink
