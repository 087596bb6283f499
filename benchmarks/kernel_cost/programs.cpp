// SPDX-License-Identifier: Apache-2.0
#include "programs.hpp"

#include <cerrno>
#include <system_error>

#include <bpf/bpf.h>
#include <unistd.h>

namespace ctflow::kernel_cost {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

bool on_every_packet(const program& p) noexcept {
    return p.name.find("_acc") != std::string::npos || p.name.starts_with("netfilter_");
}

std::vector<program> programs_after(std::uint32_t id) {
    std::vector<program> found;
    while (bpf_prog_get_next_id(id, &id) == 0) {
        found.push_back(read_program(id));
    }
    return found;
}

program read_program(std::uint32_t id) {
    const int fd = bpf_prog_get_fd_by_id(id);
    if (fd < 0) {
        fail("bpf_prog_get_fd_by_id");
    }
    bpf_prog_info info{};
    std::uint32_t length = sizeof(info);
    const int result = bpf_obj_get_info_by_fd(fd, &info, &length);
    ::close(fd);
    if (result != 0) {
        fail("bpf_obj_get_info_by_fd");
    }
    return {info.name,
            id,
            info.xlated_prog_len,
            info.jited_prog_len,
            info.verified_insns,
            info.run_time_ns,
            info.run_cnt};
}

run_stats::run_stats() : fd_(bpf_enable_stats(BPF_STATS_RUN_TIME)) {
    if (fd_ < 0) {
        fail("bpf_enable_stats");
    }
}

run_stats::~run_stats() {
    ::close(fd_);
}

} // namespace ctflow::kernel_cost
