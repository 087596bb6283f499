// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.hpp"
#include "programs.hpp"
#include "scene.hpp"
#include "traffic.hpp"

#include <ctflow/ctflow.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ctflow::kernel_cost {

// The median of the rounds, and how far from it the others lie at most.
struct figure {
    double value = 0;
    double spread = 0;
};

// Per packet, with one way of attaching.
struct cost {
    figure programs; // what the BPF programs run, by the kernel's statistics
    figure whole;    // what a packet takes more than without a probe
    std::uint64_t lost = 0;
    std::uint64_t missed = 0;
};

// The ways to attach that are measured, in the order of the columns.
inline constexpr std::array ways = {attach_mode::fentry, attach_mode::kprobe,
                                    attach_mode::netfilter};

// What they are called by the programs that run for each packet.
inline constexpr std::array way_names = {"fexit", "kprobe + kretprobe", "netfilter"};

struct row {
    std::size_t flows = 0;
    scene what;
    figure without;                                    // without a probe, sending included
    std::array<std::optional<cost>, ways.size()> with; // those that are possible here

    const std::optional<cost>& fexit() const noexcept { return with[0]; }
    const std::optional<cost>& kprobes() const noexcept { return with[1]; }
};

struct result {
    std::vector<row> rows;
    std::vector<program> programs; // each of them once
    std::vector<std::string> remarks;
};

result measure(const options& o);

} // namespace ctflow::kernel_cost
