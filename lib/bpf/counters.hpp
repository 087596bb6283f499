// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/stats.hpp>

#include <vector>

namespace ctflow::bpf {

// Adds up what the BPF programs have counted on all CPUs, and what the kernel has of them.
void read_counters(int counters_fd, const std::vector<int>& program_fds, probe_stats& stats);

} // namespace ctflow::bpf
