// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/clock.hpp>
#include <ctflow/detail/export.hpp>
#include <ctflow/event.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace ctflow {

/// What a flow_delta tells.
enum class delta_kind : std::uint8_t {
    whole, ///< The flow's first event, and it began under our eyes: all that it has moved so far.
    next,  ///< What it has moved since its previous event.
    after_reset, ///< Its counters have been zeroed since its previous event (`conntrack -L -z`):
                 ///< what it has moved after that. What came before the reset, nobody knows.
    late,        ///< An event that another has overtaken: what the other did not have yet, nearly
                 ///< always nothing.
    unknown,     ///< The first event of a flow that began before, or that was forgotten for want of
                 ///< room: since when it has moved what its counters say is not known. All zero.
};

/// What a flow has moved since its previous event. Added up over a flow's life these are its final
/// counters, unless one of them is after_reset or unknown.
struct flow_delta {
    delta_kind kind = delta_kind::unknown; ///< Since when.
    std::uint64_t packets_orig = 0;        ///< Packets of the original direction.
    std::uint64_t bytes_orig = 0;          ///< Bytes of these.
    std::uint64_t packets_ret = 0;         ///< Packets the other way.
    std::uint64_t bytes_ret = 0;           ///< Bytes of these.

    /// From the previous event to this one, by event::timestamp(). Zero unless kind is next or
    /// after_reset.
    std::chrono::nanoseconds interval{0};

    /// Whether all members are the same.
    friend bool operator==(const flow_delta&, const flow_delta&) = default;
};

/// Makes differences of totals: events say what a flow has moved since it began, this what it has
/// moved since its previous event.
///
/// It takes the events of one consumer, all of them, in the order they are received. Those of
/// different CPUs can be out of order, a flow's last update behind its destroy; events can be lost;
/// the kernel uses the address of an nf_conn again at once; counters can be zeroed while the flow
/// lives. No delta is ever more than what its event says in total, and no packet is told twice,
/// but for what is said here:
///
/// - A flow is known by event::conntrack(), event::start() and its tuple. Where the kernel notes no
///   start (net.netfilter.nf_conntrack_timestamp is 0) a second flow with the same tuple at the
///   same address is recognised by its first packet, or by counters that went down. Without either
///   they pass for one.
/// - The totals of the first event are the flow's delta (whole) where the event is that of the
///   flow's first packet, or the flow began after `since` and after all that was ever forgotten.
///   Else the delta is unknown and zero; who wants the totals has them in the event. A flow from
///   before whose counters were zeroed right before its first event passes for one that begins.
/// - Starts are told by the wall clock. After it was set back, flows whose first packet is missed
///   are unknown until it has come to where it was.
/// - An end without event::conntrack() is that of a flow without other events, whole by the same
///   rule. By netfilter's hooks, where docs/filters.md has an end told so though nobody knows whose
///   it is, that flow's packets may have been told before.
/// - Counters that are below those of an event 100 ms before or less are no reset, but two CPUs'
///   readings of a moment. And a reset does not show once all of a flow's counters have come up to
///   where they were: then the delta is too small.
/// - A lost update does no harm: the next event has the totals. With a lost destroy event the last
///   packets of its flow are missing, which is remembered until there is no more room. So are all
///   flows where the consumer receives updates alone.
///
/// When it is full, it forgets the flow that has had no event for longest: one that has ended, if
/// it has any, else a live one, counted in evicted().
///
/// @par Memory and time
/// Some 150 bytes a flow, touched when it is first needed. All is allocated by the constructor.
/// take() takes constant time, a tenth of a microsecond while the table is in the cache, twice that
/// for a flow's first event, and up to one where it is not, and never allocates.
///
/// @par Thread-safety
/// Distinct objects: safe. Shared objects: unsafe.
class flow_deltas {
public:
    /// How many flows it remembers unless told otherwise.
    static constexpr std::size_t default_capacity = 65536;

    /// Knows no flow yet.
    /// @param capacity  how many flows it remembers, at least 1 (0 is taken for that). Those that
    ///                  have ended stay as long as there is room: twice as many as live at a time
    ///                  is plenty
    /// @param since     flows that began before have moved who knows what before
    ///
    /// @par Errors
    /// Throws std::bad_alloc, and std::length_error if the capacity is more than memory can have.
    CTFLOW_DECL explicit flow_deltas(std::size_t capacity = default_capacity,
                                     boot_clock::time_point since = boot_clock::now());

    /// Takes its flows. What was moved from can be assigned to or destroyed, nothing else.
    CTFLOW_DECL flow_deltas(flow_deltas&& other) noexcept;

    /// The same.
    CTFLOW_DECL flow_deltas& operator=(flow_deltas&& other) noexcept;

    /// Forgets all.
    CTFLOW_DECL ~flow_deltas();

    /// What is new in this event, compared with those before it.
    CTFLOW_DECL flow_delta take(const event& e) noexcept;

    /// How many flows it follows: those that it remembers, but for those that have ended.
    CTFLOW_DECL std::size_t size() const noexcept;

    /// How many flows it has forgotten that had not ended, as far as it knows. Their next events
    /// are unknown: a larger capacity is what helps.
    CTFLOW_DECL std::uint64_t evicted() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// "whole", "next", "after_reset", "late", "unknown".
CTFLOW_DECL const char* to_string(delta_kind kind) noexcept;

} // namespace ctflow
