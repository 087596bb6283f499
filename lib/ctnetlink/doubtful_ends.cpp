// SPDX-License-Identifier: Apache-2.0
#include "ctnetlink/doubtful_ends.hpp"

#include <ctflow/detail/status.h>

namespace ctflow::ctnetlink {

void doubtful_ends::add(std::uint32_t flow, const message& m, const reading& at,
                        std::uint32_t last) {
    ends_.insert_or_assign(flow, end{m, at, last});
}

std::optional<doubtful_ends::end> doubtful_ends::take(std::uint32_t flow) {
    const auto* found = find(flow);
    if (found == nullptr) {
        return std::nullopt;
    }
    const std::optional taken(*found);
    ends_.erase(flow);
    return taken;
}

// Either it was counted after, or it is one with another start, where the kernel notes these.
bool doubtful_ends::is_refuted_by(std::uint32_t flow, const ctflow_record& r) const noexcept {
    const auto* found = find(flow);
    if (found == nullptr) {
        return false;
    }
    const auto start = found->about.start;
    return r.timestamp > found->at.now || (start != 0 && r.start != 0 && r.start != start);
}

// By the kernel's times, or since all ends from before the next one's birth have been read: the
// last is the flow's.
bool doubtful_ends::is_own(std::uint32_t flow, std::uint64_t start, std::uint64_t next,
                           const message& m, const reading& at) const {
    const auto* found = find(flow);
    if (found == nullptr) {
        return false;
    }
    if (start != 0 && found->about.start != 0 && m.start != 0) {
        return distance(found->about.start, start) < distance(m.start, start);
    }
    const auto born = next != 0 ? next : unrecorded_birth(m.key);
    return born != 0 && born + confirmation_time <= at.caught_up;
}

bool doubtful_ends::is_listed(std::uint32_t flow, bool last, const message& m, const resync& by) {
    if (find(flow) == nullptr) {
        return true;
    }
    auto& it = ends_.at(flow);
    const auto next = unrecorded_birth(m.key);
    if (next != 0 && next + confirmation_time < by.began) {
        return false; // That is listed. So all ends of those before it have been read.
    }
    // What is listed may be on its way out of the table, or have been before the end was told, or
    // be one that has begun since.
    if (!last || next != 0 || (m.status & CTFLOW_STATUS_DYING) != 0 || it.undecided == by.number) {
        it.undecided = by.number;
        return false;
    }
    return true;
}

bool doubtful_ends::is_undecided_by(std::uint32_t flow, std::uint32_t number) const noexcept {
    const auto* found = find(flow);
    return found != nullptr && found->undecided == number;
}

std::optional<std::uint32_t> doubtful_ends::any() const noexcept {
    return ends_.empty() ? std::nullopt : std::optional(ends_.begin()->first);
}

std::uint64_t doubtful_ends::unrecorded_birth(const flow_key& key) const {
    return ask_ ? ask_(key) : 0;
}

const doubtful_ends::end* doubtful_ends::find(std::uint32_t flow) const noexcept {
    const auto found = ends_.find(flow);
    return found != ends_.end() ? &found->second : nullptr;
}

} // namespace ctflow::ctnetlink
