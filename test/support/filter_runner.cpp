// SPDX-License-Identifier: Apache-2.0
#include "support/filter_runner.hpp"

#include "support/run_once.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <system_error>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctflow_filter.skel.h>

namespace ctflow::test {
namespace {

constexpr std::uint32_t statistics = 4; // BPF_LOG_STATS of the kernel's.

// The kernel refuses where there is not enough for what it writes and takes back, too: 64 KiB do
// not do on Linux 6.18.
constexpr std::size_t log_size = 1 << 20;

// As in filter.bpf.c.
struct judged {
    ctflow_filter_outlook outlook;
    std::uint64_t accepted;
};

void require(int result, const char* what) {
    if (result != 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
}

} // namespace

void filter_runner::deleter::operator()(ctflow_filter* s) const noexcept {
    ctflow_filter::destroy(s);
}

filter_runner::filter_runner() : skeleton_(ctflow_filter::open()), log_(log_size) {
    require(skeleton_ ? 0 : -1, "opening the filter");
    auto* program = skeleton_->progs.judge;
    bpf_program__set_log_level(program, statistics);
    bpf_program__set_log_buf(program, log_.data(), log_.size());
    require(ctflow_filter::load(skeleton_.get()), "loading the filter (are you root?)");
}

filter_runner::~filter_runner() = default;

std::vector<judgement> filter_runner::run(const ctflow_filter_program& program,
                                          std::span<const ctflow_filter_subject> subjects) {
    const auto& maps = skeleton_->maps;
    const std::uint32_t only = 0;
    require(bpf_map_update_elem(bpf_map__fd(maps.program), &only, &program, BPF_ANY),
            "the program");

    auto count = static_cast<std::uint32_t>(subjects.size());
    std::vector<std::uint32_t> keys(count);
    std::iota(keys.begin(), keys.end(), 0U);
    require(bpf_map_update_batch(bpf_map__fd(maps.subjects), keys.data(), subjects.data(), &count,
                                 nullptr),
            "the subjects");

    skeleton_->bss->wanted = count;
    run_once(bpf_program__fd(skeleton_->progs.judge));

    std::vector<judged> all(count);
    std::uint32_t position = 0;
    require(bpf_map_lookup_batch(bpf_map__fd(maps.verdicts), nullptr, &position, keys.data(),
                                 all.data(), &count, nullptr),
            "the verdicts");
    std::vector<judgement> out;
    out.reserve(all.size());
    for (const auto& j : all) {
        out.push_back({j.accepted != 0, j.outlook});
    }
    return out;
}

std::string filter_runner::verification() const {
    const std::string log(log_.data());
    const auto at = log.find("processed ");
    return log.substr(at == log.npos ? log.size() : at);
}

} // namespace ctflow::test
