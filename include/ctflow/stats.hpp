// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ctflow {

/// What a probe has counted since it was constructed. A plain copy; the counters go on while it
/// is taken, so that they can differ by the events of that moment. The first six have
/// conntracct's names, and mean the same whatever the transport (config::transport).
struct probe_stats {
    /// Events received from the kernel.
    std::uint64_t perf_events_total = 0;

    /// Their length in bytes, event_length each: of the records, not of what follows them.
    std::uint64_t perf_bytes_total = 0;

    /// Update events among them.
    std::uint64_t perf_events_update = 0;

    /// Updates that the kernel side could not send since their ring was full. Counted by the BPF
    /// program at the moment of loss. The flow's next event makes up for it.
    std::uint64_t perf_events_update_lost = 0;

    /// Destroy events among those received.
    std::uint64_t perf_events_destroy = 0;

    /// Destroy events that found their ring full, and the reserve, too (config::reserve_pages).
    /// Counted in the same way. Nothing makes up for it.
    std::uint64_t perf_events_destroy_lost = 0;

    /// Updates that were not sent since their CPU had no perf buffer: it has just come online.
    std::uint64_t updates_without_ring = 0;

    /// Destroy events for which there was no room but in reserve. They come, and are no losses.
    std::uint64_t destroys_in_reserve = 0;

    /// Records that were not an event of ours: a wrong length, kind or address family.
    std::uint64_t perf_records_malformed = 0;

    /// New flows that found the flow table full (config::max_flows): first and destroy event only.
    std::uint64_t flows_untracked = 0;

    /// Packets of flows without a place in the flow table, for which no update was considered.
    std::uint64_t packets_untracked = 0;

    /// First and destroy events that were not sent since the flow has no counters: it began while
    /// net.netfilter.nf_conntrack_acct was 0.
    std::uint64_t events_unaccounted = 0;

    /// Runs of a program that the kernel skipped since one was running on that CPU already: for
    /// fentry the same one, for a kprobe any (bpf_prog_info.recursion_misses; kprobes report them
    /// since Linux 6.7, and return probes that the kernel missed never). By fentry no destroy event
    /// is lost thereby but of flows without a place in the flow table: another program catches
    /// them. And packets that the kprobe side could not remember until the function's return.
    std::uint64_t program_misses = 0;

    /// With attach_mode::netfilter: how often the kernel found no room to tell of flows' ends
    /// (config::netlink_buffer). Not a count of lost events: each time conntrack's table is looked
    /// through.
    std::uint64_t netlink_overruns = 0;

    /// How many messages it dropped then.
    std::uint64_t netlink_messages_lost = 0;

    /// Destroy events of flows that were found gone in this way or by an audit
    /// (config::audit_interval), or whose end was seen by a new flow in their place. They are among
    /// perf_events_destroy; their counters are those of the flow's last event, to which its last
    /// packets may be missing.
    std::uint64_t destroys_reconstructed = 0;
};

/// What a consumer has counted since it was constructed, with conntracct's names.
struct consumer_stats {
    std::uint64_t events_received = 0;    ///< Events put into its queue.
    std::uint64_t events_lost = 0;        ///< Events that found its queue full.
    std::uint64_t event_queue_length = 0; ///< Events in its queue now.
};

} // namespace ctflow
