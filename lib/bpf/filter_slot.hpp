// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter.h"
#include "host/unique_fd.hpp"

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

// Puts another filter there, while the programs run, and its table into `table`, which holds that
// of the former as long as a program may go by it: the kernel frees at once what nobody holds
// (CVE-2023-52447). One thread at a time. When this returns no program goes by the former; after an
// error all do.
void set_filter(const filter_slot& slot, const ctflow_filter_program& filter,
                host::unique_fd& table, error_code& ec);

} // namespace ctflow::bpf
