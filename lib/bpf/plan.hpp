// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>
#include <ctflow/kernel.hpp>

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ctflow::bpf {

// Which function serves each role, and how the programs are attached to it.
struct attach_plan {
    attach_mode mode = attach_mode::fentry;
    std::string insert;
    std::string accounting;
    std::string destroy;

    // As probe::kernel() shows it.
    std::vector<hook> hooks() const;
};

// Finds out which of some functions there are.
using function_finder =
    std::function<std::set<std::string, std::less<>>(std::span<const std::string_view>)>;

// Decides by what the kernel has, never by its version: fentry needs the functions in BTF,
// kprobe needs them among the symbols. Symbols are asked for only if they matter: reading them
// takes a while.
attach_plan make_plan(attach_mode wanted, const function_finder& in_btf,
                      const function_finder& in_symbols, error_code& ec, diagnostics& diag);

} // namespace ctflow::bpf
