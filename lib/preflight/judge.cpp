// SPDX-License-Identifier: Apache-2.0
#include "preflight/judge.hpp"

#include <algorithm>

#include <linux/capability.h>

namespace ctflow::checks {

bool by_netfilter(const host_facts& f, const config& c) {
    return c.attach == attach_mode::netfilter ||
           (f.load && !f.load->refusal && f.load->kernel.attach == attach_mode::netfilter);
}

namespace {

// With the sizes that a probe would take by default.
config sized(const host_facts& f, config c) {
    if (c.buffer_pages == 0) {
        c.buffer_pages = host::default_buffer_pages(!has_capability(f, CAP_IPC_LOCK));
    }
    return c;
}

} // namespace

bool worth_trying(const host_facts& f, const config& c) {
    const auto needed = {judge_kernel(f), judge_btf(f, c), judge_lockdown(f, c),
                         judge_capabilities(f, c), judge_module(f)};
    return std::ranges::none_of(needed,
                                [](const auto& each) { return each.verdict == verdict::bad; });
}

config sizes_to_try(const host_facts& f, const config& given) {
    if (validate(with_defaults(given))) {
        return given; // The probe says what is wrong with it.
    }
    const config c = sized(f, given);
    config small = c;
    const bool plenty = judge_memory(f, c).verdict == verdict::good;
    if (!plenty) {
        small.max_flows = std::min(c.max_flows, config().max_flows);
    }
    // Who has CAP_IPC_LOCK is held to no limit: of large rings there is nothing to learn.
    if (!plenty || has_capability(f, CAP_IPC_LOCK)) {
        small.buffer_pages = std::min(c.buffer_pages, host::default_buffer_pages(true));
    }
    return small;
}

preflight_report judge(const host_facts& f, const config& given) {
    const config c = sized(f, given);
    const auto lockdown = judge_lockdown(f, c);
    const auto capabilities = judge_capabilities(f, c);
    preflight_report report{{judge_kernel(f), judge_btf(f, c), lockdown, capabilities,
                             judge_memory(f, c), judge_module(f)}};
    auto& all = report.conditions;
    // What one of these has found out by the attempt is not told twice.
    if (f.load && lockdown.verdict != verdict::bad && capabilities.verdict != verdict::bad) {
        all.push_back(judge_hooks(*f.load, f, c));
    }
    if (f.module) {
        all.push_back(judge_acct(f));
        all.push_back(judge_timestamp(f));
        if (by_netfilter(f, c)) {
            all.push_back(judge_events(f));
        }
        all.push_back(judge_tracking(f, c));
        all.push_back(judge_table(f));
        // What is not known for want of a capability is said of that one, if at all.
        if (f.flow_tables || capabilities.verdict == verdict::good) {
            all.push_back(judge_offload(f));
        }
    }
    if (by_netfilter(f, c)) {
        for (auto& each : all) {
            each.this_namespace_only = false; // There are no others' events.
        }
    }
    return report;
}

} // namespace ctflow::checks
