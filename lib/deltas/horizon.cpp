// SPDX-License-Identifier: Apache-2.0
#include "deltas/horizon.hpp"

#include <algorithm>

namespace ctflow::deltas {
namespace {

// By netfilter's programs a start is an estimate, and clocks are slewed: what is nearer than that,
// in ns, may have been before. It is also how far a clock may go back before that counts.
constexpr std::uint64_t margin = 10'000'000;

// No sums: a record may hold anything.
bool surely_after(std::uint64_t a, std::uint64_t b) noexcept {
    return a > b && a - b > margin;
}

} // namespace

void horizon::look(std::uint64_t now, std::uint64_t ahead) noexcept {
    if (surely_after(most_ahead_, ahead)) {
        reached_ = std::max(reached_, now + most_ahead_); // At most, by now.
        most_ahead_ = ahead;
    }
    most_ahead_ = std::max(most_ahead_, ahead);
    ahead_ = ahead;
}

void horizon::move_to(std::uint64_t at) noexcept {
    at_ = std::max(at_, at);
}

bool horizon::began_after(std::uint64_t start) const noexcept {
    return surely_after(start, reached_) && start > ahead_ && surely_after(start - ahead_, at_);
}

} // namespace ctflow::deltas
