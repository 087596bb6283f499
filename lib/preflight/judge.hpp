// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "preflight/facts.hpp"

#include <ctflow/config.hpp>
#include <ctflow/preflight.hpp>

#include <string>

namespace ctflow::checks {

// What the facts mean. Pure functions, all of them: no look at the host.

condition judge_kernel(const host_facts& f);
condition judge_btf(const host_facts& f, const config& c);
condition judge_lockdown(const host_facts& f, const config& c);
condition judge_capabilities(const host_facts& f, const config& c);
condition judge_memory(const host_facts& f, const config& c);
condition judge_module(const host_facts& f);
condition judge_hooks(const load_attempt& attempt, const host_facts& f, const config& c);

condition judge_acct(const host_facts& f);
condition judge_timestamp(const host_facts& f);
condition judge_events(const host_facts& f);
condition judge_tracking(const host_facts& f, const config& c);
condition judge_table(const host_facts& f);
condition judge_offload(const host_facts& f);

// Whether netfilter's hooks are what is asked for, or what was taken. Then tracing does not matter,
// and the probe sees this network namespace alone.
bool by_netfilter(const host_facts& f, const config& c);

// Whether making a probe tells more than is known without: nothing that it needs is bad.
bool worth_trying(const host_facts& f, const config& c);

// The configuration to try, which takes no memory that the host lacks, nor much for nothing.
config sizes_to_try(const host_facts& f, const config& c);

// All conditions, but for those that cannot be judged while others are bad.
preflight_report judge(const host_facts& f, const config& c);

// The command that gives the program its capabilities, with `more` such as ",cap_ipc_lock"; or what
// to do where it may not have them.
std::string grant(const host_facts& f, const std::string& more = {});

// What `more` must be for the locked memory that probes need.
std::string locked_memory_capability(const host_facts& f);

// The command for a kernel that is too paranoid about perf events.
inline constexpr const char* lower_paranoid = "sysctl -w kernel.perf_event_paranoid=2";

// Whether conntrack's sysctls are set. Where they cannot be read, nothing is to be done.
bool sysctls_set(const host_facts& f);

bool has_capability(const host_facts& f, unsigned capability);

} // namespace ctflow::checks
