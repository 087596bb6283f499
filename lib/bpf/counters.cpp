// SPDX-License-Identifier: Apache-2.0
#include "bpf/counters.hpp"

#include "counters.h"

#include <cstdint>
#include <numeric>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace ctflow::bpf {
namespace {

std::uint64_t sum_over_cpus(int fd, ctflow_counter which) {
    const int cpus = libbpf_num_possible_cpus();
    std::vector<std::uint64_t> values(cpus > 0 ? static_cast<std::size_t>(cpus) : 0);
    std::uint32_t index = which;
    if (values.empty() || bpf_map_lookup_elem(fd, &index, values.data()) != 0) {
        return 0;
    }
    return std::reduce(values.begin(), values.end());
}

std::uint64_t recursion_misses(int program_fd) {
    bpf_prog_info info{};
    std::uint32_t length = sizeof(info);
    // Older kernels fill in less, and leave the rest zero.
    return bpf_obj_get_info_by_fd(program_fd, &info, &length) == 0 ? info.recursion_misses : 0;
}

} // namespace

void read_counters(int fd, const std::vector<int>& program_fds, probe_stats& stats) {
    stats.perf_events_update_lost = sum_over_cpus(fd, CTFLOW_UPDATES_LOST);
    stats.updates_without_ring = sum_over_cpus(fd, CTFLOW_UPDATES_WITHOUT_RING);
    stats.destroys_in_reserve = sum_over_cpus(fd, CTFLOW_DESTROYS_IN_RESERVE);
    stats.perf_events_destroy_lost = sum_over_cpus(fd, CTFLOW_DESTROYS_LOST);
    stats.flows_untracked = sum_over_cpus(fd, CTFLOW_FLOWS_UNTRACKED);
    stats.packets_untracked = sum_over_cpus(fd, CTFLOW_PACKETS_UNTRACKED);
    stats.events_unaccounted = sum_over_cpus(fd, CTFLOW_EVENTS_UNACCOUNTED);
    stats.program_misses = sum_over_cpus(fd, CTFLOW_RETURNS_UNTRACKED);
    for (const int program : program_fds) {
        stats.program_misses += recursion_misses(program);
    }
}

} // namespace ctflow::bpf
