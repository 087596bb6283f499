// SPDX-License-Identifier: Apache-2.0
#include "filter/nodes.hpp"

#include <algorithm>
#include <cstdint>

namespace ctflow::filtering {
namespace {

bool is_nothing(const postfix& n) noexcept {
    return n.size() == 1 && n.front().op == filter_op::nothing;
}

// Takes away the last operator if it is of this kind: its operands are to become another's.
filter_node open(postfix& n, filter_op op) {
    const auto last = n.back();
    if (last.op == op) {
        n.pop_back();
        return last;
    }
    filter_node one;
    one.op = op;
    one.operands = 1;
    one.depth = static_cast<std::uint8_t>(last.depth + 1);
    return one;
}

} // namespace

std::size_t count_tests(const postfix& n) noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(n, is_test));
}

void join(postfix& a, filter_op op, const postfix& b) {
    const bool all_of = op == filter_op::all_of;
    const auto decides = [&](const postfix& n) {
        return all_of ? is_nothing(n) : n.empty();
    };
    const auto means_nothing = [&](const postfix& n) {
        return all_of ? n.empty() : is_nothing(n);
    };
    if (decides(a) || means_nothing(b)) {
        return;
    }
    if (decides(b) || means_nothing(a)) {
        a = b;
        return;
    }
    auto both = open(a, op);
    a.insert(a.end(), b.begin(), b.end());
    const auto other = open(a, op);
    both.operands = static_cast<std::uint16_t>(both.operands + other.operands);
    both.depth = std::max(both.depth, other.depth);
    a.push_back(both);
}

void negate(postfix& a) {
    if (a.empty()) {
        a.push_back({.op = filter_op::nothing});
    } else if (is_nothing(a) || a.back().op == filter_op::negation) {
        a.pop_back();
    } else {
        filter_node n;
        n.op = filter_op::negation;
        n.operands = 1;
        n.depth = static_cast<std::uint8_t>(a.back().depth + 1);
        a.push_back(n);
    }
}

const char* excess(const postfix& n) noexcept {
    static_assert(filter::tests_limit == 512 && filter::nesting_limit == 32);
    if (!n.empty() && n.back().depth > filter::nesting_limit) {
        return "nested too deeply: 32 of and, or and not within each other are the most";
    }
    return count_tests(n) > filter::tests_limit ? "too many tests: 512 are the most" : nullptr;
}

} // namespace ctflow::filtering
