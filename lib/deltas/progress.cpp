// SPDX-License-Identifier: Apache-2.0
#include "deltas/progress.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>

namespace ctflow::deltas {
namespace {

counters counters_of(const event& e) noexcept {
    return {e.packets_orig(), e.bytes_orig(), e.packets_ret(), e.bytes_ret()};
}

flow_delta delta_of(delta_kind kind, const counters& c, std::uint64_t interval = 0) noexcept {
    return {.kind = kind,
            .packets_orig = c[0],
            .bytes_orig = c[1],
            .packets_ret = c[2],
            .bytes_ret = c[3],
            .interval = std::chrono::nanoseconds(static_cast<std::int64_t>(interval))};
}

bool any_below(const counters& now, const counters& known) noexcept {
    return !std::ranges::equal(now, known, std::greater_equal<>());
}

// Each counter on its own: of readings that overlap, each may have something that the other lacks.
counters grow(counters& known, const counters& now) noexcept {
    counters growth{};
    for (std::size_t i = 0; i < known.size(); ++i) {
        growth[i] = now[i] > known[i] ? now[i] - known[i] : 0;
        known[i] += growth[i];
    }
    return growth;
}

} // namespace

bool is_first(const event& e) noexcept {
    return e.kind() == event_kind::update && e.packets_orig() <= 1 && e.packets_ret() == 0;
}

flow_delta begin(progress& p, const event& e, bool whole) noexcept {
    p = {.known = counters_of(e),
         .latest = e.record().timestamp,
         .raised = e.record().timestamp,
         .ended = e.kind() == event_kind::destroy};
    return whole ? delta_of(delta_kind::whole, p.known) : flow_delta{};
}

flow_delta advance(progress& p, const event& e) noexcept {
    const auto now = counters_of(e);
    const std::uint64_t t = e.record().timestamp;
    const bool below = any_below(now, p.known);
    if (t < p.since) {
        return delta_of(delta_kind::late, {});
    }
    const bool was_over = p.ended;
    p.ended = p.ended || e.kind() == event_kind::destroy;
    const bool near = (t < p.latest ? p.latest - t : t - p.latest) <= at_once;
    const bool read_at_once = t >= p.raised && t - p.raised <= at_once;
    if (t < p.latest || (below && (was_over || read_at_once))) {
        p.latest = std::max(p.latest, t);
        // As long as the flow lives, its next event has whatever this one has more. To take it from
        // here would mix what was before a reset with what was after it.
        return delta_of(delta_kind::late, near && p.ended ? grow(p.known, now) : counters{});
    }
    const auto interval = t - p.latest;
    p.latest = t;
    p.raised = t;
    if (!below) {
        return delta_of(delta_kind::next, grow(p.known, now), interval);
    }
    // The kernel zeroes all four together (ctnetlink_dump_acct(), IPCTNL_MSG_CT_GET_CTRZERO), so
    // that one which is not below has come up again.
    p.since = t;
    p.known = now;
    return delta_of(delta_kind::after_reset, now, interval);
}

bool is_another(const progress& p, const event& e) noexcept {
    const std::uint64_t t = e.record().timestamp;
    if (t <= p.latest) {
        return false;
    }
    return is_first(e) ||
           (p.ended && (t - p.latest > at_once || any_below(counters_of(e), p.known)));
}

} // namespace ctflow::deltas
