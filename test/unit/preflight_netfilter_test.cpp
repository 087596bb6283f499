// SPDX-License-Identifier: Apache-2.0
//
// What is made of the facts about a host where netfilter's hooks are asked for, or all there is.
#include "support/preflight.hpp"

#include <ctflow/preflight.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

using namespace ctflow::test;
using ctflow::attach_mode;
using ctflow::config;
using ctflow::errc;
using ctflow::hook_role;
using ctflow::verdict;
using ctflow::checks::judge;
using ctflow::host::lockdown_mode;

namespace {

config asks_for(attach_mode mode) {
    config c;
    c.attach = mode;
    return c;
}

// One that has taken netfilter's hooks.
host_facts good_netfilter_host() {
    auto f = good_host();
    f.release = "6.12.117+deb12-cloud-amd64";
    f.load->kernel.attach = attach_mode::netfilter;
    f.load->kernel.hooks = {{hook_role::insert, "LOCAL_IN", "netfilter"},
                            {hook_role::insert, "POST_ROUTING", "netfilter"},
                            {hook_role::accounting, "LOCAL_IN", "netfilter"},
                            {hook_role::accounting, "POST_ROUTING", "netfilter"},
                            {hook_role::destroy, "ctnetlink", "netlink"}};
    return f;
}

// One that has come down to them.
host_facts locked_down_host() {
    auto f = good_netfilter_host();
    f.lockdown = lockdown_mode::confidentiality;
    f.load->kernel.refused = {{attach_mode::fentry, errc::lockdown, {}},
                              {attach_mode::kprobe, errc::lockdown, {}}};
    return f;
}

bool lists(const host_facts& f, const char* name, const config& c) {
    for (const auto& each : judge(f, c).conditions) {
        if (each.name == name) {
            return true;
        }
    }
    return false;
}

const config netfilter = asks_for(attach_mode::netfilter);

} // namespace

BOOST_AUTO_TEST_SUITE(preflight_netfilter)

BOOST_AUTO_TEST_CASE(nothing_wrong) {
    const auto f = good_netfilter_host();
    BOOST_TEST(the_one(f, verdict::good, netfilter).name == "");
    BOOST_TEST(worth_trying(f, netfilter));
    BOOST_TEST(only(f, "hooks", netfilter).finding ==
               "LOCAL_IN (netfilter), POST_ROUTING (netfilter), ctnetlink (netlink)");
    BOOST_TEST(has(only(f, "btf", netfilter).finding, "suffices for netfilter's hooks"));
    BOOST_TEST(only(f, "capabilities", netfilter).finding ==
               "CAP_SYS_ADMIN and CAP_NET_ADMIN: netfilter's hooks");
}

BOOST_AUTO_TEST_CASE(the_ends_of_flows) {
    auto f = good_netfilter_host();
    BOOST_TEST((only(f, "events", netfilter).verdict == verdict::good));
    BOOST_TEST(has(only(f, "events", netfilter).finding, "began while nobody listened"));
    f.events = 1;
    BOOST_TEST(only(f, "events", netfilter).finding == "the ends of flows are told");
    f.events = 0;
    auto c = the_one(f, verdict::bad, netfilter);
    BOOST_TEST(c.name == "events");
    BOOST_TEST(c.remedy == "sysctl -w net.netfilter.nf_conntrack_events=1");
    f.sysctls_read_only = true;
    c = the_one(f, verdict::bad, netfilter);
    BOOST_TEST(has(c.remedy, "nsenter -t PID -n sysctl -w net.netfilter.nf_conntrack_events=1"));
    BOOST_TEST(has(c.remedy, "--sysctl net.netfilter.nf_conntrack_events=1"));
    f.events.reset();
    BOOST_TEST(the_one(f, verdict::warning, netfilter).name == "events");

    // Tracing asks nothing of ctnetlink.
    f = good_host();
    f.events = 0;
    BOOST_TEST(!lists(f, "events", {}));
    BOOST_TEST(lists(f, "events", netfilter));
    f.load->kernel.attach = attach_mode::netfilter;
    BOOST_TEST(lists(f, "events", {}));
    f.load->refusal = errc::ctnetlink_missing; // Then it is not taken.
    BOOST_TEST(!lists(f, "events", {}));
    f.module = false;
    BOOST_TEST(!lists(f, "events", netfilter));
}

BOOST_AUTO_TEST_CASE(lockdown_leaves_it) {
    auto f = locked_down_host();
    f.load.reset();
    BOOST_TEST(the_one(f, verdict::good, netfilter).name == "");
    BOOST_TEST(worth_trying(f, netfilter));
    auto c = the_one(f, verdict::warning);
    BOOST_TEST(c.name == "lockdown");
    BOOST_TEST(has(c.finding, "this network namespace alone"));
    BOOST_TEST(c.remedy == "boot without lockdown=confidentiality");
    BOOST_TEST(worth_trying(f, {}));
    for (const auto mode : {attach_mode::fentry, attach_mode::kprobe}) {
        BOOST_TEST(!worth_trying(f, asks_for(mode)));
    }

    f = locked_down_host();
    BOOST_TEST(judge(f, {}).works());
    BOOST_TEST((only(f, "lockdown").verdict == verdict::warning));
    f.lockdown.reset(); // Nobody tells, and the attempt does.
    BOOST_TEST((only(f, "lockdown").verdict == verdict::warning));
    BOOST_TEST(has(only(f, "lockdown").finding, "confidentiality"));
    f.load->kernel.refused.clear();
    BOOST_TEST(has(only(f, "lockdown").finding, "this kernel has none"));
}

BOOST_AUTO_TEST_CASE(lockdown_that_leaves_nothing_is_told_once) {
    auto f = locked_down_host();
    f.load->refusal = errc::netfilter_unavailable;
    auto c = the_one(f, verdict::bad);
    BOOST_TEST(c.name == "lockdown");
    BOOST_TEST(has(c.finding, "no BPF programs at netfilter's hooks"));
    BOOST_TEST(has(c.remedy, "Linux 6.4"));
    BOOST_TEST(!lists(f, "hooks", {}));
    f.load->refusal = errc::lockdown;
    BOOST_TEST(the_one(f, verdict::bad).name == "lockdown");
    BOOST_TEST(!lists(f, "hooks", {}));

    f.load->refusal = errc::ctnetlink_missing; // What mends it is not another boot.
    BOOST_TEST((only(f, "lockdown").verdict == verdict::warning));
    BOOST_TEST((only(f, "hooks").verdict == verdict::bad));
    BOOST_TEST(only(f, "hooks").remedy == "modprobe nf_conntrack_netlink");
}

BOOST_AUTO_TEST_CASE(a_fallback_says_what_it_is_for) {
    auto f = locked_down_host();
    const auto why = make_error_code(errc::lockdown).message();
    auto c = only(f, "hooks");
    BOOST_TEST((c.verdict == verdict::warning));
    BOOST_TEST(c.finding == "LOCAL_IN (netfilter), POST_ROUTING (netfilter), ctnetlink (netlink), "
                            "for this network namespace alone; no fentry: " +
                                why + "; no kprobe: " + why);
    BOOST_TEST(has(c.remedy, "flowdump --attach netfilter"));
    BOOST_TEST((only(f, "hooks", netfilter).verdict == verdict::good));

    // What would be better, where something mends it.
    f = good_netfilter_host();
    f.load->kernel.refused = {{attach_mode::fentry, errc::fentry_unavailable, {}},
                              {attach_mode::kprobe, errc::no_symbols, "one\ntwo"}};
    c = the_one(f, verdict::warning);
    BOOST_TEST(c.name == "hooks");
    BOOST_TEST(c.finding.ends_with(make_error_code(errc::no_symbols).message() + " (one)"));
    BOOST_TEST(has(c.remedy, "ProcSubset=all"));

    // Kprobes see all namespaces: less good, and no reason to warn.
    f = good_host();
    f.load->kernel.attach = attach_mode::kprobe;
    f.load->kernel.refused = {{attach_mode::fentry, errc::fentry_unavailable, "so"}};
    BOOST_TEST(the_one(f, verdict::good).name == "");
    BOOST_TEST(
        only(f, "hooks")
            .finding.ends_with(
                "; no fentry: " + make_error_code(errc::fentry_unavailable).message() + " (so)"));
}

BOOST_AUTO_TEST_CASE(what_it_may_be_refused_for) {
    auto f = good_netfilter_host();
    f.load->refusal = errc::netfilter_unavailable;
    auto c = the_one(f, verdict::bad, netfilter);
    BOOST_TEST(c.name == "hooks");
    BOOST_TEST(c.remedy == "boot Linux 6.4 or newer, or leave the way to attach to ctflow "
                           "(flowdump --attach auto)");
    BOOST_TEST(the_one(f, verdict::bad).remedy == "boot Linux 6.4 or newer");
    f.load->refusal = errc::ctnetlink_missing;
    BOOST_TEST(the_one(f, verdict::bad, netfilter).remedy == "modprobe nf_conntrack_netlink");
}

BOOST_AUTO_TEST_CASE(switches_of_tracing_do_not_matter) {
    auto f = good_netfilter_host();
    f.ftrace_enabled = 0;
    f.kprobes_enabled = 0;
    BOOST_TEST(the_one(f, verdict::good, netfilter).name == "");
}

BOOST_AUTO_TEST_CASE(types) {
    auto f = good_netfilter_host();
    f.conntrack_in_btf = false;
    BOOST_TEST((only(f, "btf", netfilter).verdict == verdict::good));
    BOOST_TEST(!has(only(f, "btf", netfilter).finding, "kprobes"));
    auto with_file = netfilter;
    with_file.btf_file = "/tmp/btf";
    BOOST_TEST((only(f, "btf", with_file).verdict == verdict::good));
    f.own_btf = false; // The kernel itself needs them.
    for (const auto& each : {netfilter, with_file}) {
        const auto c = the_one(f, verdict::bad, each);
        BOOST_TEST(c.name == "btf");
        BOOST_TEST(has(c.remedy, "CONFIG_DEBUG_INFO_BTF"));
        BOOST_TEST(!worth_trying(f, each));
    }
    f.own_btf = true;
    f.btf_file_problem = "/tmp/btf: no BTF";
    BOOST_TEST(the_one(f, verdict::bad, with_file).finding == "/tmp/btf: no BTF");
}

BOOST_AUTO_TEST_CASE(capabilities) {
    auto f = good_netfilter_host();
    f.effective = bpf | perfmon | net_admin;
    f.perf_refused = true; // There are no perf events.
    BOOST_TEST(the_one(f, verdict::good, netfilter).name == "");
    BOOST_TEST(has(only(f, "capabilities", netfilter).finding, "CAP_PERFMON and CAP_NET_ADMIN"));
    for (const std::uint64_t lacks : {bpf | perfmon, sys_admin}) {
        f.effective = lacks;
        const auto c = the_one(f, verdict::bad, netfilter);
        BOOST_TEST(c.name == "capabilities");
        BOOST_TEST(c.finding.ends_with(": CAP_NET_ADMIN"), c.finding);
        BOOST_TEST(c.remedy.starts_with("setcap "));
        BOOST_TEST(!worth_trying(f, netfilter));
    }
    f.effective = net_admin;
    BOOST_TEST(the_one(f, verdict::bad, netfilter).finding.ends_with(": CAP_BPF, CAP_PERFMON"));

    // Where it is all that lockdown leaves, the same is needed.
    f = locked_down_host();
    f.load.reset();
    f.effective = bpf | perfmon;
    BOOST_TEST(only(f, "capabilities").finding.ends_with(": CAP_NET_ADMIN"));
    BOOST_TEST(!worth_trying(f, {}));
}

BOOST_AUTO_TEST_CASE(a_paranoid_kernel_may_have_it) {
    auto f = good_netfilter_host();
    const auto tried = f.load;
    f.effective = bpf | perfmon | net_admin;
    f.perf_refused = true;
    f.load.reset();
    auto c = the_one(f, verdict::warning);
    BOOST_TEST(c.name == "capabilities");
    BOOST_TEST(has(c.finding, "perf_event_paranoid is 3"));
    BOOST_TEST(has(c.finding, "this network namespace alone"));
    BOOST_TEST(c.remedy == "sysctl -w kernel.perf_event_paranoid=2");
    BOOST_TEST(worth_trying(f, {}));
    BOOST_TEST(the_one(f, verdict::bad, asks_for(attach_mode::kprobe)).name == "capabilities");
    BOOST_TEST(!worth_trying(f, asks_for(attach_mode::kprobe)));

    f.load = tried;
    BOOST_TEST((only(f, "capabilities").verdict == verdict::warning));
    BOOST_TEST(judge(f, {}).works());
    for (const auto refusal : {errc::missing_capabilities, errc::netfilter_unavailable}) {
        f.load->refusal = refusal;
        BOOST_TEST(the_one(f, verdict::bad).name == "capabilities");
        BOOST_TEST(!lists(f, "hooks", {}));
    }
    f.load = good_host().load; // Another way was possible after all.
    BOOST_TEST(the_one(f, verdict::good).name == "");
}

BOOST_AUTO_TEST_CASE(one_ring_is_all_it_needs) {
    auto f = good_netfilter_host();
    auto large = netfilter;
    large.buffer_pages = 65536;
    large.transport = ctflow::transport_kind::perf_buffer; // Means nothing.
    auto c = the_one(f, verdict::bad, large);
    BOOST_TEST(c.name == "memory");
    BOOST_TEST(c.finding == "a ring buffer of 65536 pages for each of 2 CPUs needs 513 MiB of "
                            "kernel memory, of 512 MiB that the machine has left");
    f.machine.cpus = 9;
    f.available_memory = std::uint64_t{1} << 40;
    c = the_one(f, verdict::bad, large);
    BOOST_TEST(has(c.finding, "2048 MiB is the kernel's limit"));
}

BOOST_AUTO_TEST_CASE(nothing_is_said_of_other_namespaces) {
    auto f = good_netfilter_host();
    f.acct = 0;
    BOOST_TEST(!the_one(f, verdict::bad, netfilter).this_namespace_only);
    f.acct = 1;
    f.hooks = {false, false, false};
    f.count = 0;
    auto c = the_one(f, verdict::bad, netfilter);
    BOOST_TEST(c.name == "tracking");
    BOOST_TEST(!has(c.finding, "other namespaces"));
    f.hooks.reset();
    f.loopback = {false, false};
    BOOST_TEST(!has(the_one(f, verdict::bad, netfilter).finding, "other namespaces"));
}

BOOST_AUTO_TEST_SUITE_END()
