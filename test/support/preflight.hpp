// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "preflight/judge.hpp"

#include <ctflow/preflight.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

namespace ctflow::test {

using checks::host_facts;

// The bits of capabilities(7), by number: not by the names that the library uses.
inline constexpr std::uint64_t net_admin = std::uint64_t{1} << 12;
inline constexpr std::uint64_t sys_admin = std::uint64_t{1} << 21;
inline constexpr std::uint64_t perfmon = std::uint64_t{1} << 38;
inline constexpr std::uint64_t bpf = std::uint64_t{1} << 39;
inline constexpr std::uint64_t everything = (std::uint64_t{1} << 41) - 1;

// One where nothing is wrong.
inline host_facts good_host() {
    host_facts f;
    f.release = "6.1.0-56-cloud-amd64";
    f.own_btf = true;
    f.conntrack_in_btf = true;
    f.lockdown = host::lockdown_mode::none;
    f.securityfs = true;
    f.effective = everything;
    f.bounding = everything;
    f.perf_event_paranoid = 3;
    f.executable = "/usr/bin/flowdump";
    f.machine = {2, 4096};
    f.available_memory = std::uint64_t{512} << 20;
    f.module = true;
    f.load = checks::load_attempt{};
    f.load->kernel.hooks = {
        {ctflow::hook_role::insert, "__nf_conntrack_hash_insert", "fentry"},
        {ctflow::hook_role::accounting, "__nf_ct_refresh_acct", "fexit"},
    };
    f.acct = 1;
    f.timestamp = 1;
    f.events = 2;
    f.count = 3;
    f.max = 1000;
    f.hooks = {true, true, false};
    f.flow_tables.emplace();
    return f;
}

inline condition only(const host_facts& f, const char* name, const config& c = {}) {
    for (const auto& each : checks::judge(f, c).conditions) {
        if (each.name == name) {
            return each;
        }
    }
    BOOST_FAIL("no condition " << name);
    return {};
}

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// The condition that is not good; none other may be so.
inline condition the_one(const host_facts& f, verdict v, const config& c = {}) {
    condition found;
    for (const auto& each : checks::judge(f, c).conditions) {
        BOOST_TEST_CONTEXT(each) {
            BOOST_TEST(!each.finding.empty());
            BOOST_TEST(!has(each.finding, "\n"));
            BOOST_TEST(each.remedy.empty() == (each.verdict == verdict::good));
            if (each.verdict != verdict::good) {
                BOOST_TEST(found.name.empty());
                found = each;
            }
        }
    }
    BOOST_TEST((found.verdict == v));
    BOOST_TEST(checks::judge(f, c).works() == (v != verdict::bad));
    return found;
}

} // namespace ctflow::test
