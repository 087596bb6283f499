// SPDX-License-Identifier: Apache-2.0
//
// What ctflow costs the kernel per packet, by each way to attach.
#include "clock.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "report.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iostream>

#include <sched.h>

namespace {

using namespace ctflow::kernel_cost;

// Whether packets of flows that a filter refuses cost no more than a tenth more than those in
// cooldown, with as many flows.
bool refuses_cheaply(const row& refused, const result& r) {
    const auto cooldown = std::ranges::find_if(r.rows, [&](const row& other) {
        return other.what.name == "cooldown" && other.flows == refused.flows;
    });
    bool good = true;
    for (std::size_t w = 0; w < ways.size(); ++w) {
        const auto& a = refused.with[w];
        const auto& b = cooldown->with[w];
        if (a && b && a->whole.value > 1.1 * b->whole.value) {
            std::cerr << "FAILED: with " << refused.flows << " flows that are refused, "
                      << way_names[w] << " costs more than in cooldown\n";
            good = false;
        }
    }
    return good;
}

// Not a matter of timing, where instructions are counted.
bool within(double limit, const result& r) {
    bool good = true;
    for (const auto& row : r.rows) {
        if (row.what.emitting) {
            continue;
        }
        if (!row.fexit() || !row.kprobes()) {
            std::cerr << "FAILED: nothing to compare\n";
            return false;
        }
        if (row.fexit()->whole.value > limit * row.kprobes()->whole.value) {
            std::cerr << "FAILED: with " << row.flows << " flows, " << row.what.name
                      << ", fexit costs more than " << limit << " times kprobe and kretprobe\n";
            good = false;
        }
        good = (row.what.name != "refused" || refuses_cheaply(row, r)) && good;
    }
    return good;
}

// The kernel's statistics are of all CPUs, but a ring is of one.
void stay_on_one_cpu() {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    ::sched_setaffinity(0, sizeof(one), &one);
}

} // namespace

int main(int argc, char** argv) {
    const auto o = parse(argc, argv);
    try {
        stay_on_one_cpu();
        const bool instructions = counts_instructions();
        if (o.check_ratio && !instructions) {
            std::cerr << "FAILED: --check-ratio takes a clock that counts instructions\n";
            return 1;
        }
        const auto r = measure(o);
        report(std::cout, r, o, instructions);
        std::cout.flush();
        return !o.check_ratio || within(*o.check_ratio, r) ? 0 : 1;
    } catch (const std::exception& e) {
        std::cerr << "ctflow_kernel_cost: " << e.what() << '\n';
        return 1;
    }
}
