// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>
#include <ctflow/kernel.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ctflow::bpf {

// What is done at a kernel function, each by BPF programs of its own (bpf/fentry.h, kprobe.h).
enum class task : std::uint8_t {
    insert,       // entry of the function that inserts a flow
    confirm,      // entry and return of one that inserts a packet's flow
    check_insert, // return of one that inserts a flow, or does not
    made,         // return of the function that makes the structure of a flow
    leaving,      // entry of one that a flow's first packet meets before it is inserted
    accounting,   // return of the function that counts a packet
    offloaded,    // the same of one that counts what others have forwarded
    destroy,      // entry of a function that every flow meets once, at its end
    delete_,      // entry of one that it can meet twice
    free_,        // entry of the one that gives its memory back, after all others
    early_drop,   // entry and return of one that evicts flows
    collect,      // the same of the garbage collector, which does so, too
};

// The function of task::offloaded. What flowtables (those with `counter`) and tc's act_ct have
// forwarded is counted by it, past __nf_ct_refresh_acct. On some kernels that calls it too, for
// every packet: not to be hooked where nobody offloads.
inline constexpr const char* count_of_others = "nf_ct_acct_add";

// That of task::made, where config::processes is set. Static: compilers may alter it, and its name.
inline constexpr const char* maker_of_flows = "__nf_conntrack_alloc";

// Those of task::early_drop and task::collect. Static, too.
inline constexpr const char* early_dropper = "early_drop";
inline constexpr const char* collector = "gc_worker";

struct hook_point {
    bpf::task task;
    std::string function;

    friend bool operator==(const hook_point&, const hook_point&) = default;
};

// Which functions are hooked, and how.
struct attach_plan {
    attach_mode mode = attach_mode::fentry;
    std::vector<hook_point> points; // In the order of hook_role.
    diagnostics no_fentry = {};     // Why it was not chosen, if it might have been.

    // As probe::kernel() shows it.
    std::vector<hook> hooks() const;
};

// Finds out which of some functions there are.
using function_finder =
    std::function<std::set<std::string, std::less<>>(std::span<const std::string_view>)>;

// The same, or nothing if it cannot find out.
using symbol_finder = std::function<std::optional<std::set<std::string, std::less<>>>(
    std::span<const std::string_view>)>;

// Decides by what the kernel has, never by its version: fentry needs the functions in BTF,
// kprobe needs them among the symbols. Symbols are asked for only if they matter: reading them
// takes a while. The functions of `avoid` are as if they were not there. What cannot be traced at
// all is an error: netfilter is not planned here.
attach_plan make_plan(attach_mode wanted, std::span<const std::string> avoid,
                      const function_finder& in_btf, const symbol_finder& in_symbols,
                      error_code& ec, diagnostics& diag);

} // namespace ctflow::bpf
