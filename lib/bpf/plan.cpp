// SPDX-License-Identifier: Apache-2.0
#include "bpf/plan.hpp"

#include <array>
#include <optional>

namespace ctflow::bpf {
namespace {

using names = std::vector<std::string_view>;

// For each role, the functions that can serve it, best first.
//
// destroy: nf_ct_destroy sees the end of every flow, and was destroy_conntrack before Linux 5.18.
// nf_ct_delete would not do: where the compiler split it, most callers go past the plain name.
const names insert_functions = {"__nf_conntrack_hash_insert"};
const names accounting_functions = {"__nf_ct_refresh_acct"};
const names destroy_functions = {"nf_ct_destroy", "destroy_conntrack"};

names all_functions() {
    names all;
    for (const auto* role : {&insert_functions, &accounting_functions, &destroy_functions}) {
        all.insert(all.end(), role->begin(), role->end());
    }
    return all;
}

using found_set = std::set<std::string, std::less<>>;

// The best of the candidates that was found, else empty, with a note of what was sought.
std::string choose(const names& candidates, const found_set& found, diagnostics& missing) {
    for (const auto candidate : candidates) {
        if (found.contains(candidate)) {
            return std::string(candidate);
        }
    }
    for (const auto candidate : candidates) {
        missing += missing.empty() ? "" : ", ";
        missing += candidate;
    }
    return {};
}

std::optional<attach_plan> choose_all(attach_mode mode, const found_set& found,
                                      diagnostics& missing) {
    attach_plan plan{mode, choose(insert_functions, found, missing),
                     choose(accounting_functions, found, missing),
                     choose(destroy_functions, found, missing)};
    return missing.empty() ? std::optional(plan) : std::nullopt;
}

} // namespace

std::vector<hook> attach_plan::hooks() const {
    const bool traced = mode == attach_mode::fentry;
    return {{hook_role::insert, insert, traced ? "fentry" : "kprobe"},
            {hook_role::accounting, accounting, traced ? "fexit" : "kprobe+kretprobe"},
            {hook_role::destroy, destroy, traced ? "fentry" : "kprobe"}};
}

attach_plan make_plan(attach_mode wanted, const function_finder& in_btf,
                      const function_finder& in_symbols, error_code& ec, diagnostics& diag) {
    const names all = all_functions();
    diagnostics not_in_btf;
    if (wanted != attach_mode::kprobe) {
        if (auto plan = choose_all(attach_mode::fentry, in_btf(all), not_in_btf)) {
            return *plan;
        }
    }

    const found_set symbols = in_symbols(all);
    if (symbols.empty()) {
        ec = errc::conntrack_missing;
        return {};
    }
    if (wanted == attach_mode::fentry) {
        ec = errc::fentry_unavailable;
        diag = "not in the BTF of conntrack: " + not_in_btf;
        return {};
    }
    diagnostics no_symbol;
    if (auto plan = choose_all(attach_mode::kprobe, symbols, no_symbol)) {
        return *plan;
    }
    ec = errc::hook_missing;
    diag = "not among the kernel's functions: " + no_symbol;
    return {};
}

} // namespace ctflow::bpf
