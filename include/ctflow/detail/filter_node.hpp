// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace ctflow::detail {

enum class filter_op : std::uint8_t {
    // The operands are before it, and are filters themselves.
    all_of,
    any_of,
    negation,

    // Tests. What is behind them is in `first` (and `second`).
    nothing, // No flow passes.
    family,  // 4 or 6
    proto,
    net,  // 4 or 6 (prefix length; the address beside it)
    port, // lowest (highest)
    mark, // value (mask)
    zone,
    netns,
    bytes, // at least
    packets,
    age, // ns
};

// A part of a filter, which has them in the order of postfix notation.
struct filter_node {
    filter_op op{};
    std::uint8_t end = 0;   // flow_end, of net and port
    std::uint8_t depth = 0; // how deep operands are nested in it: zero for a test
    std::uint16_t operands = 0;
    std::array<std::uint8_t, 16> address{};
    std::uint64_t first = 0;
    std::uint64_t second = 0;

    friend bool operator==(const filter_node&, const filter_node&) = default;
};

} // namespace ctflow::detail
