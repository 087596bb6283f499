// SPDX-License-Identifier: Apache-2.0
#include "preflight/judge.hpp"

#include <algorithm>

#include <linux/capability.h>

namespace ctflow::checks {

bool worth_trying(const host_facts& f, const config& c) {
    const auto needed = {judge_kernel(f), judge_btf(f, c), judge_lockdown(f), judge_capabilities(f),
                         judge_module(f)};
    return std::ranges::none_of(needed,
                                [](const auto& each) { return each.verdict == verdict::bad; });
}

config sizes_to_try(const host_facts& f, const config& c) {
    if (validate(with_defaults(c))) {
        return c; // The probe says what is wrong with it.
    }
    config small = c;
    const bool plenty = judge_memory(f, c).verdict == verdict::good;
    if (!plenty) {
        small.max_flows = std::min(c.max_flows, config().max_flows);
    }
    // Who has CAP_IPC_LOCK is held to no limit: of large rings there is nothing to learn.
    if (!plenty || has_capability(f, CAP_IPC_LOCK)) {
        small.buffer_pages = std::min(c.buffer_pages, config().buffer_pages);
    }
    return small;
}

preflight_report judge(const host_facts& f, const config& c) {
    preflight_report report{{judge_kernel(f), judge_btf(f, c), judge_lockdown(f),
                             judge_capabilities(f), judge_memory(f, c), judge_module(f)}};
    auto& all = report.conditions;
    if (f.load) {
        all.push_back(judge_hooks(*f.load, f, c));
    }
    if (f.module) {
        all.push_back(judge_acct(f));
        all.push_back(judge_timestamp(f));
        all.push_back(judge_tracking(f));
        all.push_back(judge_table(f));
        // What is not known for want of a capability is said of that one, if at all.
        if (f.flow_tables || judge_capabilities(f).verdict == verdict::good) {
            all.push_back(judge_offload(f));
        }
    }
    return report;
}

} // namespace ctflow::checks
