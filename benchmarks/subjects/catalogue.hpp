// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "subjects/subject.hpp"
#include "support/command_line.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace ctflow::bench {

// A subject that can be asked for by name.
struct variant {
    std::string_view id;
    std::string_view title;
    bool delivers; // Events get to a program's code; else they are but counted.
    std::function<std::unique_ptr<subject>()> make;
};

// What the others are compared with.
inline constexpr std::string_view reference = "libbpf-perf";

std::span<const variant> catalogue();

// Null if there is none.
const variant* find_variant(std::string_view id);

// Those that the current option lists.
std::vector<const variant*> variants_named(command_line& line);

} // namespace ctflow::bench
