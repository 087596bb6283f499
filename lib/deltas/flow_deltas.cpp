// SPDX-License-Identifier: Apache-2.0
#include "deltas/flow_table.hpp"
#include "deltas/horizon.hpp"
#include "deltas/progress.hpp"

#include <ctflow/flow_deltas.hpp>

namespace ctflow {
namespace {

std::uint64_t nanoseconds_of(const auto& time_point) noexcept {
    return static_cast<std::uint64_t>(time_point.time_since_epoch().count());
}

// How far the wall clock is ahead of the boot clock.
std::uint64_t wall_ahead() noexcept {
    return nanoseconds_of(boot_clock::to_sys(boot_clock::time_point()));
}

} // namespace

struct flow_deltas::state {
    state(std::size_t capacity, boot_clock::time_point since)
        : table(capacity), horizon(nanoseconds_of(since), wall_ahead()) {}

    flow_delta first(const event& e) noexcept;
    bool whole(const event& e) noexcept;
    deltas::flow_table::entry* room_for(const event& e) noexcept;

    deltas::flow_table table;
    deltas::horizon horizon; // No event after that has been forgotten, or passed before we looked.
    std::uint64_t evicted = 0;
};

flow_delta flow_deltas::state::first(const event& e) noexcept {
    const bool all = whole(e);
    if (!all && !horizon.is_before(e.record().timestamp)) {
        return {}; // More than it says may have been told before its flow was forgotten.
    }
    deltas::progress p;
    const auto delta = deltas::begin(p, e, all);
    if (auto* entry = room_for(e)) {
        entry->progress = p;
        table.touch(*entry, false);
    }
    return delta;
}

// Whether the flow of this event, which is not in the table, began after the horizon.
bool flow_deltas::state::whole(const event& e) noexcept {
    const auto& r = e.record();
    horizon.look(nanoseconds_of(boot_clock::now()), wall_ahead());
    return (deltas::is_first(e) && horizon.is_before(r.timestamp)) || horizon.began_after(r.start);
}

// Null for what is not worth it.
deltas::flow_table::entry* flow_deltas::state::room_for(const event& e) noexcept {
    const bool is_end = e.kind() == event_kind::destroy;
    if (is_end && e.conntrack() == 0) {
        return nullptr; // It has had no event before, and will have none.
    }
    if (auto* other = table.in_the_way()) {
        if (is_end && !other->progress.ended) {
            // No live flow has to go for one that is over. What is late of it will be of before the
            // horizon.
            horizon.move_to(e.record().timestamp);
            return nullptr;
        }
        horizon.move_to(other->progress.latest);
        evicted += other->progress.ended ? 0 : 1;
        table.forget(*other);
    }
    return &table.add(deltas::name_of(e));
}

flow_deltas::flow_deltas(std::size_t capacity, boot_clock::time_point since)
    : state_(std::make_unique<state>(capacity, since)) {}
flow_deltas::flow_deltas(flow_deltas&&) noexcept = default;
flow_deltas& flow_deltas::operator=(flow_deltas&&) noexcept = default;
flow_deltas::~flow_deltas() = default;

flow_delta flow_deltas::take(const event& e) noexcept {
    auto* entry = state_->table.find(deltas::name_of(e));
    if (entry == nullptr) {
        return state_->first(e);
    }
    auto& p = entry->progress;
    const bool was_over = p.ended;
    flow_delta delta;
    if (e.record().start == 0 && deltas::is_another(p, e)) {
        delta = deltas::begin(p, e, state_->whole(e));
        p.since = p.latest; // What is late is of the one before.
    } else {
        delta = deltas::advance(p, e);
    }
    state_->table.touch(*entry, was_over);
    return delta;
}

std::size_t flow_deltas::size() const noexcept {
    return state_->table.live();
}

std::uint64_t flow_deltas::evicted() const noexcept {
    return state_->evicted;
}

const char* to_string(delta_kind kind) noexcept {
    switch (kind) {
    case delta_kind::whole:
        return "whole";
    case delta_kind::next:
        return "next";
    case delta_kind::after_reset:
        return "after_reset";
    case delta_kind::late:
        return "late";
    case delta_kind::unknown:
        return "unknown";
    }
    return "unknown";
}

} // namespace ctflow
