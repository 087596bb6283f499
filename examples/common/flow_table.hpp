// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/clock.hpp>
#include <ctflow/event.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>

namespace examples {

/// What a flow has moved from one event to the next, and how long that took.
struct movement {
    std::uint64_t packets_orig = 0;
    std::uint64_t bytes_orig = 0;
    std::uint64_t packets_ret = 0;
    std::uint64_t bytes_ret = 0;
    std::chrono::nanoseconds time{}; ///< Zero if there was no event before.

    friend bool operator==(const movement&, const movement&) = default;
};

struct flow {
    ctflow::event last;
    movement moved; ///< Since the event before that.

    bool ended() const noexcept { return last.kind() == ctflow::event_kind::destroy; }
};

/// The flows that there are, each with its last event: made from events one by one, without a look
/// at clocks or the kernel. Holds as many flows as it is told and not one more.
///
/// Events can overtake each other, even a flow's last update its destroy event: their time stamps
/// tell. So flows that have ended stay for a moment, until forget_ended().
class flow_table {
public:
    /// @param limit  of flows, those that have just ended included
    /// @param since  what flows that are older have moved before they were first heard of is left
    ///   out: it may be days' worth
    flow_table(std::size_t limit, std::chrono::sys_time<std::chrono::nanoseconds> since)
        : limit_(limit), since_(since) {}

    /// Takes an event. @return what its flow has moved that no event had told before.
    ///
    /// A flow that finds no room is not in the table until it does; all that it has moved is told
    /// at once then, or when it ends.
    movement apply(const ctflow::event& e);

    /// Forgets flows whose destroy event is older than a second, which no event is late by.
    void forget_ended(ctflow::boot_clock::time_point now);

    /// Flows that have not ended, as far as is known: should a destroy event be lost
    /// (probe_stats::perf_events_destroy_lost), its flow stays.
    std::size_t live() const noexcept { return flows_.size() - ended_.size(); }
    std::size_t limit() const noexcept { return limit_; }

    /// Updates of flows for which there was no room.
    std::uint64_t refused() const noexcept { return refused_; }

    /// Calls f(const flow&) for each, those that have just ended included.
    template <class F>
    void for_each(F f) const {
        for (const auto& each : flows_) {
            f(each.second);
        }
    }

private:
    // The kernel uses the address of a flow again at once, for one with other ends as a rule.
    using key = std::array<unsigned char, 49>;
    struct hash {
        std::size_t operator()(const key& k) const noexcept;
    };
    static key key_of(const ctflow::event& e) noexcept;

    void forget_oldest_ended();

    std::size_t limit_;
    std::chrono::sys_time<std::chrono::nanoseconds> since_;
    std::uint64_t refused_ = 0;
    std::unordered_map<key, flow, hash> flows_;
    std::deque<std::pair<key, ctflow::boot_clock::time_point>> ended_; // In the order they came.
};

} // namespace examples
