// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/clock.hpp>
#include <ctflow/detail/export.hpp>
#include <ctflow/detail/record.h>
#include <ctflow/detail/status.h>
#include <ctflow/detail/trailer.h>
#include <ctflow/detail/trailer_ref.hpp>
#include <ctflow/flow_details.hpp>
#include <ctflow/flow_status.hpp>
#include <ctflow/flow_tuple.hpp>

#include <boost/asio/ip/address.hpp>

#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>

namespace ctflow {

/// Length in bytes of the record that the kernel side sends, as in conntracct's EventLength. More
/// follows of flows that have more to say (event::has_details()).
inline constexpr std::size_t event_length = sizeof(ctflow_record);

/// Why an event was sent.
enum class event_kind : std::uint8_t {
    update = CTFLOW_RECORD_UPDATE, ///< The flow is new, or moved a packet and its cooldown is over.
    destroy = CTFLOW_RECORD_DESTROY, ///< The flow has ended; its counters are final.
};

/// State of a TCP connection as conntrack sees it (enum tcp_conntrack of the kernel's
/// uapi/linux/netfilter/nf_conntrack_tcp.h).
enum class tcp_state : std::uint8_t {
    none, ///< Not TCP, or not known.
    syn_sent,
    syn_recv,
    established,
    fin_wait,
    close_wait,
    last_ack,
    time_wait,
    close,
    syn_sent2,
};

/// One accounting event of one flow. A plain value of 112 bytes, cheap to copy: it holds the
/// kernel's record as it came, and the accessors decode. What few flows have (has_details()) is
/// elsewhere, and shared by all copies.
///
/// @par Thread-safety
/// Like an int: distinct objects safe; a shared one is safe while nobody assigns to it.
class event {
public:
    /// All zeros: to be filled by a receive. Its kind() is none of the two.
    event() noexcept : record_{} {}

    /// Of a record as it came from the kernel, or was made for a test.
    explicit event(const ctflow_record& record) noexcept : record_(record) {}

    /// The same, with what followed it. Throws std::bad_alloc.
    CTFLOW_DECL event(const ctflow_record& record, const ctflow_trailer& trailer);

    /// The same; for ctflow itself.
    event(const ctflow_record& record, detail::trailer_ref trailer) noexcept
        : record_(record), trailer_(std::move(trailer)) {}

    /// Why it was sent.
    event_kind kind() const noexcept { return static_cast<event_kind>(record_.kind); }

    /// When the flow began, wall clock. The epoch itself if the kernel did not note it
    /// (net.netfilter.nf_conntrack_timestamp was 0 when the flow began).
    std::chrono::sys_time<std::chrono::nanoseconds> start() const noexcept {
        return std::chrono::sys_time<std::chrono::nanoseconds>(
            std::chrono::nanoseconds(record_.start));
    }

    /// When the kernel took this event, on the boot clock. Events of different CPUs can arrive
    /// out of order, a flow's last update after its destroy: this tells the order.
    boot_clock::time_point timestamp() const noexcept {
        return boot_clock::time_point(boot_clock::duration(record_.timestamp));
    }

    /// timestamp() as wall-clock time; see boot_clock::to_sys.
    std::chrono::sys_time<std::chrono::nanoseconds> time() const noexcept {
        return boot_clock::to_sys(timestamp());
    }

    /// Source of the original direction, who began the flow, before any NAT.
    boost::asio::ip::address src_addr() const noexcept { return address(record_.src_addr); }

    /// Destination of the original direction, before any NAT.
    boost::asio::ip::address dst_addr() const noexcept { return address(record_.dst_addr); }

    /// Port of src_addr(), in host order; 0 unless has_ports().
    std::uint16_t src_port() const noexcept { return port(record_.src_port); }

    /// Port of dst_addr(), in host order; 0 unless has_ports().
    std::uint16_t dst_port() const noexcept { return port(record_.dst_port); }

    /// Whether the protocol has ports: TCP, UDP, UDP-Lite, SCTP, DCCP. A kernel whose conntrack
    /// does not know the protocol any more, as Linux 7.3 UDP-Lite and DCCP, has 0 for them all the
    /// same.
    CTFLOW_DECL bool has_ports() const noexcept;

    /// IP protocol number, IPPROTO_*.
    std::uint8_t proto() const noexcept { return record_.proto; }

    /// Packets from src_addr() to dst_addr(), in total since the flow began.
    std::uint64_t packets_orig() const noexcept { return record_.packets_orig; }

    /// Bytes of these packets, with IP headers and without those of the link, as conntrack counts.
    std::uint64_t bytes_orig() const noexcept { return record_.bytes_orig; }

    /// Packets the other way, in total.
    std::uint64_t packets_ret() const noexcept { return record_.packets_ret; }

    /// Bytes of these.
    std::uint64_t bytes_ret() const noexcept { return record_.bytes_ret; }

    /// The mark that rules have given the flow (`ct mark`); 0 where the kernel has none.
    std::uint32_t connmark() const noexcept { return record_.connmark; }

    /// Inode of the network namespace, as `stat -L -c %i /proc/PID/ns/net` shows it.
    std::uint32_t netns() const noexcept { return record_.netns; }

    /// State of a TCP connection; none for other protocols.
    ctflow::tcp_state tcp_state() const noexcept {
        return static_cast<ctflow::tcp_state>(record_.tcp_state);
    }

    /// The 31-bit id that conntracct gives this flow, so that series already stored go on: the
    /// first 4 bytes, little-endian, of BLAKE3 over source and destination address (16 bytes each,
    /// IPv4 mapped into IPv6, RFC 4291), source and destination port (2 each, big-endian), protocol
    /// (1) and conntrack() (8, little-endian), shifted right by one. The same in all events of one
    /// flow.
    ///
    /// Computed at each call, some 300 ns: keep it if you need it twice.
    CTFLOW_DECL std::uint32_t flow_id() const noexcept;

    /// Address of the kernel's nf_conn. Identifies a flow while it lives; the kernel uses an
    /// address again at once after. 0 in the destroy event of a flow that had no event before, with
    /// attach_mode::netfilter.
    std::uint64_t conntrack() const noexcept { return record_.conntrack; }

    /// The ends of the original direction: src_addr() and so on.
    flow_tuple original() const noexcept {
        return {src_addr(), dst_addr(), src_port(), dst_port()};
    }

    /// The ends of the reply direction: the mirror of the original ones, but for what NAT
    /// translates. Its dst_addr is the source as the others see it, its src_addr is who answers.
    CTFLOW_DECL flow_tuple reply() const noexcept;

    /// Whether NAT translates its source, its destination, or both. Of ICMP it may be the
    /// identifier alone, which reply() does not tell.
    bool has_nat() const noexcept { return has_part(CTFLOW_TRAILER_REPLY); }

    /// Conntrack's zone that it is in; 0 is none.
    std::uint16_t zone() const noexcept {
        return has_details() ? trailer()->zone : std::uint16_t{0};
    }

    /// The directions that the zone holds for; both if it is in none.
    ctflow::zone_direction zone_direction() const noexcept {
        return zone() == 0 ? ctflow::zone_direction::both
                           : static_cast<ctflow::zone_direction>(trailer()->zone_dir);
    }

    /// The labels that rules have set (`ct label`); none where the kernel has none.
    CTFLOW_DECL std::bitset<128> labels() const noexcept;

    /// Conntrack's status of it.
    flow_status status() const noexcept {
        return static_cast<flow_status>(has_details() ? trailer()->status
                                                      : ctflow_status_of(&record_));
    }

    /// Who forwards its packets; in a destroy event, who did at its last update. Packets that
    /// others forward give an update only if the flowtable counts them (`counter`), and was there
    /// when the probe started.
    flow_offload offload() const noexcept {
        return has_details() ? static_cast<flow_offload>(trailer()->offload) : flow_offload::none;
    }

    /// The flow that announced it, if one did.
    CTFLOW_DECL std::optional<flow_master> master() const noexcept;

    /// Both sides of a TCP connection: with config::tcp_sides always, else if there are other
    /// details.
    CTFLOW_DECL std::optional<ctflow::tcp_sides> tcp_sides() const noexcept;

    /// The process that began it, with config::processes: nothing if none of this host did, or
    /// nobody knows which. docs/details.md says when. Throws std::bad_alloc.
    CTFLOW_DECL std::optional<flow_process> process() const;

    /// Why it has ended; unknown of an update.
    ctflow::end_reason end_reason() const noexcept {
        return static_cast<ctflow::end_reason>(record_.end_reason);
    }

    /// How long it lived: of a flow that has ended, from its first packet until its time was up or
    /// it was taken out of the table. On the boot clock, which nobody sets, if the probe saw it
    /// begin; else by the kernel's time stamps, if it has them. docs/details.md has the exceptions.
    std::optional<std::chrono::nanoseconds> duration() const noexcept {
        const auto lived = static_cast<std::chrono::nanoseconds::rep>(trailer_.duration());
        return lived == 0 ? std::nullopt : std::optional(std::chrono::nanoseconds(lived));
    }

    /// Whether there is more to say of it than of most flows: NAT, a zone, labels, a bit of its
    /// status that few have, a master, sides, a process.
    bool has_details() const noexcept { return trailer() != nullptr; }

    /// The record as it came from the kernel.
    const ctflow_record& record() const noexcept { return record_; }

    /// What came behind it, as long as this event or a copy lives; null if nothing did but,
    /// perhaps, a duration().
    const ctflow_trailer* trailer() const noexcept { return trailer_.get(); }

    /// The same for ctflow itself, which passes it on.
    const detail::trailer_ref& shared_trailer() const noexcept { return trailer_; }

private:
    CTFLOW_DECL boost::asio::ip::address address(const unsigned char (&bytes)[16]) const noexcept;
    CTFLOW_DECL std::uint16_t port(std::uint16_t network_order) const noexcept;

    bool has_part(unsigned part) const noexcept {
        return has_details() && (trailer()->parts & part) != 0;
    }

    ctflow_record record_;
    detail::trailer_ref trailer_;
};

static_assert(sizeof(event) == event_length + 8);

/// "update", "destroy".
CTFLOW_DECL const char* to_string(event_kind kind) noexcept;

/// "ESTABLISHED" and so on, as conntrack(8) prints them; "NONE" for no state.
CTFLOW_DECL const char* to_string(tcp_state state) noexcept;

/// One readable line, without a newline: kind, protocol, addresses, counters. For people; its form
/// may change.
CTFLOW_DECL std::string to_string(const event& e);

/// Writes to_string(e).
CTFLOW_DECL std::ostream& operator<<(std::ostream& os, const event& e);

} // namespace ctflow
