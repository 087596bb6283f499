// SPDX-License-Identifier: Apache-2.0
#include "filter/compile.hpp"

#include "filter/entry.hpp"
#include "filter/nodes.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace ctflow::filtering {
namespace {

struct exits {
    unsigned char yes;
    unsigned char no;
};

// An operator whose operands are being read, the last one first.
struct pending {
    filter_op op;
    std::size_t left;
    exits to;
    bool last = true;

    // Where the next operand's results lead: but for the last one's, those that leave the matter
    // open lead to the operand behind, whose first test is `next`.
    exits of_operand(unsigned char next) noexcept {
        auto e = to;
        if (!last) {
            (op == filter_op::all_of ? e.yes : e.no) = next;
        }
        last = false;
        --left;
        return e;
    }
};

// Backwards: the first node is the outermost operator, and what a test jumps to is there already.
void compile_into(ctflow_filter_program& p, const postfix& all) {
    auto at = p.length;
    std::vector<pending> open{{filter_op::all_of, 1, {CTFLOW_FILTER_ACCEPT, CTFLOW_FILTER_REJECT}}};
    for (auto node = all.rbegin(); node != all.rend(); ++node) {
        const auto& n = *node;
        const auto to = open.back().of_operand(static_cast<unsigned char>(at));
        if (n.op == filter_op::negation) {
            open.push_back({n.op, 1, {to.no, to.yes}});
        } else if (!is_test(n)) {
            open.push_back({n.op, n.operands, to});
        } else {
            auto& t = p.tests[--at];
            t = entry_of(n);
            t.yes.to = to.yes;
            t.no.to = to.no;
            p.changes |= t.yes.changes | t.no.changes;
            while (!open.empty() && open.back().left == 0) {
                open.pop_back();
            }
        }
    }
}

} // namespace

ctflow_filter_program compile(const filter& f, error_code& ec, diagnostics& diag) {
    ec.clear();
    diag.clear();
    ctflow_filter_program p{};
    const auto& all = filter_access::nodes(f);
    const auto tests = count_tests(all);
    if (tests > CTFLOW_FILTER_TESTS) {
        ec = errc::filter_too_long;
        diag = "it has " + std::to_string(tests) + " tests";
        return p;
    }
    p.length = static_cast<unsigned>(tests);
    compile_into(p, all);
    return p;
}

} // namespace ctflow::filtering
