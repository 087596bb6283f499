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

bool doubtful_ends::is_listed(std::uint32_t flow, const message& m, const resync& by) {
    if (find(flow) == nullptr) {
        return true;
    }
    auto& it = ends_.at(flow);
    const auto next = ask_ ? ask_(m.key) : 0;
    if (next != 0 && next + confirmation_time < by.began) {
        return false; // That is listed. So all ends of those before it have been read.
    }
    // What is listed may be on its way out of the table, or have been before the end was told.
    if (next != 0 || (m.status & CTFLOW_STATUS_DYING) != 0 || it.undecided == by.number) {
        it.undecided = by.number;
        return false;
    }
    return true;
}

bool doubtful_ends::is_undecided_by(std::uint32_t flow, std::uint32_t number) const noexcept {
    const auto* found = find(flow);
    return found != nullptr && found->undecided == number;
}

// Hardly ever is there any.
const doubtful_ends::end* doubtful_ends::find(std::uint32_t flow) const noexcept {
    if (ends_.empty()) {
        return nullptr;
    }
    const auto found = ends_.find(flow);
    return found != ends_.end() ? &found->second : nullptr;
}

} // namespace ctflow::ctnetlink
