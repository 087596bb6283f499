// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter.h"

#include <ctflow/error.hpp>

#include <cstdint>
#include <span>

struct bpf_map;

namespace ctflow::bpf {

// Where programs look for their filter (bpf/judge.h): the map of it, the word that says which it
// is, and the words of cooldown, in which refused flows have theirs. All in the kernel, alive as
// long as the programs are loaded.
struct filter_slot {
    const bpf_map* filters;
    unsigned long long* which;
    std::span<std::uint64_t> cooldowns;
};

// Puts another filter there, while the programs run. One thread at a time. When this returns no
// program goes by the former; after an error all do.
void set_filter(const filter_slot& slot, const ctflow_filter_program& filter, error_code& ec);

} // namespace ctflow::bpf
