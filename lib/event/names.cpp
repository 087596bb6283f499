// SPDX-License-Identifier: Apache-2.0
#include <ctflow/flow_details.hpp>
#include <ctflow/flow_status.hpp>

#include <array>
#include <charconv>
#include <cstddef>

namespace ctflow {

std::string to_string(flow_status status) {
    static constexpr std::array names = {
        "EXPECTED",   "SEEN_REPLY",   "ASSURED",      "CONFIRMED", "SRC_NAT",       "DST_NAT",
        "SEQ_ADJUST", "SRC_NAT_DONE", "DST_NAT_DONE", "DYING",     "FIXED_TIMEOUT", "TEMPLATE",
        "NAT_CLASH",  "HELPER",       "OFFLOAD",      "HW_OFFLOAD"};
    std::string out;
    auto left = static_cast<std::uint32_t>(status);
    for (std::size_t i = 0; i < names.size(); ++i) {
        if ((left >> i & 1U) != 0) {
            (out += out.empty() ? "" : ",") += names[i];
            left &= ~(1U << i);
        }
    }
    if (left != 0) {
        std::array<char, 8> digits{};
        const auto end = std::to_chars(digits.begin(), digits.end(), left, 16).ptr;
        ((out += out.empty() ? "" : ",") += "0x").append(digits.begin(), end);
    }
    return out;
}

const char* to_string(end_reason reason) noexcept {
    switch (reason) {
    case end_reason::timeout:
        return "timeout";
    case end_reason::closed:
        return "closed";
    case end_reason::deleted:
        return "deleted";
    case end_reason::evicted:
        return "evicted";
    case end_reason::unknown:
        break;
    }
    return "unknown";
}

const char* to_string(flow_offload offload) noexcept {
    switch (offload) {
    case flow_offload::software:
        return "software";
    case flow_offload::hardware:
        return "hardware";
    case flow_offload::none:
        break;
    }
    return "none";
}

const char* to_string(zone_direction direction) noexcept {
    switch (direction) {
    case zone_direction::original:
        return "original";
    case zone_direction::reply:
        return "reply";
    case zone_direction::both:
        break;
    }
    return "both";
}

} // namespace ctflow
