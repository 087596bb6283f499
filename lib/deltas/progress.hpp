// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/event.hpp>
#include <ctflow/flow_deltas.hpp>

#include <array>
#include <cstdint>

namespace ctflow::deltas {

// Readings no further apart than that, in ns, can be those of two CPUs at one time: the BPF program
// takes the time first and the counters after it, and what runs it may be stopped between.
inline constexpr std::uint64_t at_once = 100'000'000;

// Packets and bytes of the original direction, and of the other.
using counters = std::array<std::uint64_t, 4>;

// What is known of a flow.
struct progress {
    counters known{};         // What has been told of it.
    std::uint64_t latest = 0; // The highest timestamp.
    std::uint64_t raised = 0; // That of the reading that `known` is from: one before it, and lower,
                              // may have been read at the same time.
    std::uint64_t since = 0;  // Events from before that are of other counters: of before a reset,
                              // or of a flow that was here before.
    bool ended = false;
};

// Whether it is the event of a flow's first packet. A later update has more.
bool is_first(const event& e) noexcept;

// Of a flow's first event. If it is whole all of its counters are told, else none.
flow_delta begin(progress& p, const event& e, bool whole) noexcept;

// Of the events after that.
flow_delta advance(progress& p, const event& e) noexcept;

// Whether an event that seems to be of this flow, by all but its start, which the kernel has not
// noted, is of another one after it.
bool is_another(const progress& p, const event& e) noexcept;

} // namespace ctflow::deltas
