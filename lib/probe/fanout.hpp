// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe/registry.hpp"
#include "transport/event_sink.hpp"

#include <ctflow/stats.hpp>

#include <atomic>
#include <cstdint>
#include <span>

namespace ctflow::detail {

// Passes events on to every consumer that wants them, and counts them.
class fanout final : public transport::event_sink {
public:
    explicit fanout(registry& consumers) noexcept : registry_(consumers) {}

    void on_events(event_kind kind, std::span<const event> batch) override;
    void on_malformed(std::uint64_t records) override;
    void flush() override;
    void close() override;

    // From any thread.
    void read(probe_stats& stats) const noexcept;

private:
    void refresh();

    registry& registry_;
    registry::consumer_list consumers_; // As of generation_.
    std::uint64_t generation_ = 0;

    // Written by the reading thread alone.
    std::atomic<std::uint64_t> updates_{0};
    std::atomic<std::uint64_t> destroys_{0};
    std::atomic<std::uint64_t> malformed_{0};
};

} // namespace ctflow::detail
