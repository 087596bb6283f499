// SPDX-License-Identifier: Apache-2.0
#include "bpf/unreported_end.hpp"

namespace ctflow::bpf {
namespace {

// From one time to another, of a clock that may begin in between.
std::int64_t from(std::uint64_t a, std::uint64_t b) noexcept {
    return static_cast<std::int64_t>(b - a);
}

} // namespace

// Without the kernel's times: what had begun by the time when all ends had been read is alive up to
// this one. What has begun since may follow the flow that has ended, if that was read late; or is
// it, if nobody knows of one before it, and it is older than that.
bool is_its(const unreported_end& end, const ctflow_flow_state& flow,
            std::uint64_t boot_to_real) noexcept {
    const auto birth = flow.origin & ~CTFLOW_FLOW_BITS;
    if (end.stop != 0) {
        return from(birth + boot_to_real, end.stop) >= 0;
    }
    const auto age = from(birth, end.record.timestamp);
    return age >= 0 && (from(birth, end.caught_up) > 0 ||
                        ((flow.origin & CTFLOW_FLOW_FOLLOWS) == 0 && age >= longest_turn));
}

} // namespace ctflow::bpf
