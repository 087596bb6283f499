// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/filter_node.hpp>
#include <ctflow/filter.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace ctflow {

// The way into a filter.
struct detail::filter_access {
    static const std::vector<filter_node>& nodes(const filter& f) noexcept { return f.nodes_; }
    static std::vector<filter_node> take(filter& f) noexcept { return std::move(f.nodes_); }
    static filter make(std::vector<filter_node> nodes) {
        filter f;
        f.nodes_ = std::move(nodes);
        return f;
    }
};

namespace filtering {

using detail::filter_access;
using detail::filter_node;
using detail::filter_op;

// A filter in postfix notation, in its one form: operators of one kind in a row are one with many
// operands, a negation is of no other, and "all" (no nodes) and "nothing" stand alone.
using postfix = std::vector<filter_node>;

inline bool is_test(const filter_node& n) noexcept {
    return n.op >= filter_op::nothing;
}

std::size_t count_tests(const postfix& n) noexcept;

// op: all_of or any_of.
void join(postfix& a, filter_op op, const postfix& b);

void negate(postfix& a);

// What there is too much of, in words; null if nothing.
const char* excess(const postfix& n) noexcept;

} // namespace filtering
} // namespace ctflow
