// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/memory.hpp"
#include "host/privileges.hpp"

#include <ctflow/error.hpp>
#include <ctflow/kernel.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ctflow::checks {

// What became of making a probe.
struct load_attempt {
    error_code refusal;
    diagnostics diag;
    ctflow::kernel kernel;
};

// For which packets conntrack has hooks.
struct tracked_families {
    bool ipv4 = false;
    bool ipv6 = false;
    bool bridge = false;
};

// Whether it follows a connection over loopback. Nothing of a family that loopback is without.
struct loopback_answers {
    std::optional<bool> ipv4;
    std::optional<bool> ipv6;
};

// An nftables flow table.
struct flow_table {
    std::string family;
    std::string table;
    std::string name;
    std::int32_t priority = 0; // Of its hook.
    std::uint32_t flags = 0;   // NFT_FLOWTABLE_COUNTER and others.
};

// A host as far as conditions depend on it. What is not set cannot be known here.
struct host_facts {
    std::string release;

    bool own_btf = false;
    bool conntrack_in_btf = false;
    diagnostics btf_file_problem; // With config::btf_file; empty: none.

    std::optional<host::lockdown_mode> lockdown;
    bool securityfs = false; // Is mounted.

    std::optional<std::uint64_t> effective; // Capabilities,
    std::optional<std::uint64_t> bounding;  // and those that can be had.
    bool initial_user_namespace = true;
    bool perf_refused = false; // perf_event_open(2) says EACCES.
    std::optional<std::uint64_t> perf_event_paranoid;
    std::string executable; // Whose capabilities they are.

    std::optional<std::uint64_t> ftrace_enabled;  // 0: what is hooked is not called.
    std::optional<std::uint64_t> kprobes_enabled; // The same of kprobes.

    host::machine machine;
    std::optional<std::uint64_t> available_memory; // Bytes.

    bool module = false;
    std::optional<load_attempt> load; // Not if it was not tried.

    // conntrack in this network namespace; nothing if there is none.
    std::optional<std::uint64_t> acct;
    std::optional<std::uint64_t> timestamp;
    std::optional<std::uint64_t> events; // How ctnetlink tells of flows, 0 for not at all.
    bool sysctls_writable = true;        // For this process.
    bool sysctls_read_only = false;      // For everybody in here: /proc/sys is mounted so.
    bool sysctls_applied = false;        // By the program, which ends if it cannot.
    std::optional<std::uint64_t> count;
    std::optional<std::uint64_t> max; // Of flows; 0: no limit.
    bool max_belongs_here = true;     // And not to another namespace.
    std::optional<tracked_families> hooks;
    loopback_answers loopback; // Tried where the hooks cannot be listed.
    bool ipv6 = true;          // This network namespace has addresses of it.
    std::optional<std::vector<flow_table>> flow_tables;
};

} // namespace ctflow::checks
