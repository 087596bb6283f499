// SPDX-License-Identifier: Apache-2.0
//
// What is made of the facts about a host. The facts themselves: test/vm/check.sh.
#include "support/preflight.hpp"

#include <ctflow/preflight.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

using namespace ctflow::test;
using ctflow::condition;
using ctflow::config;
using ctflow::errc;
using ctflow::verdict;
using ctflow::checks::judge;
using ctflow::checks::load_attempt;
using ctflow::host::lockdown_mode;

namespace {

std::vector<std::string> names(const host_facts& f) {
    std::vector<std::string> all;
    for (const auto& each : judge(f, {}).conditions) {
        all.push_back(each.name);
    }
    return all;
}

} // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(std::vector<std::string>)

BOOST_AUTO_TEST_SUITE(preflight)

BOOST_AUTO_TEST_CASE(nothing_wrong) {
    const std::vector<std::string> all = {"kernel",    "btf",      "lockdown", "capabilities",
                                          "memory",    "module",   "hooks",    "acct",
                                          "timestamp", "tracking", "table",    "offload"};
    BOOST_TEST((names(good_host()) == all));
    for (const auto& each : judge(good_host(), {}).conditions) {
        BOOST_TEST((each.verdict == verdict::good), each);
        BOOST_TEST(each.remedy.empty());
        BOOST_TEST(!each.finding.empty());
    }
    BOOST_TEST(judge(good_host(), {}).works());
    BOOST_TEST(worth_trying(good_host(), {}));
    BOOST_TEST(only(good_host(), "hooks").finding ==
               "__nf_conntrack_hash_insert (fentry), __nf_ct_refresh_acct (fexit)");
}

BOOST_AUTO_TEST_CASE(kernel) {
    auto f = good_host();
    for (const char* old : {"5.7.19", "4.18.0-553.el8", "2.6.32"}) {
        f.release = old;
        const auto c = the_one(f, verdict::bad);
        BOOST_TEST(c.name == "kernel");
        BOOST_TEST(has(c.finding, old));
        BOOST_TEST(has(c.remedy, "5.8"));
        BOOST_TEST(!worth_trying(f, {}));
    }
    for (const char* young : {"5.8", "5.10.0-46-cloud-amd64", "7.3.4"}) {
        f.release = young;
        BOOST_TEST((only(f, "kernel").verdict == verdict::good));
    }
    f.release = "mine";
    BOOST_TEST(the_one(f, verdict::bad).name == "kernel");
}

BOOST_AUTO_TEST_CASE(btf) {
    auto f = good_host();
    BOOST_TEST(has(only(f, "btf").finding, "fentry is possible"));
    f.conntrack_in_btf = false;
    BOOST_TEST(has(only(f, "btf").finding, "kprobes only"));
    f.own_btf = false;
    const auto c = the_one(f, verdict::bad);
    BOOST_TEST(c.name == "btf");
    BOOST_TEST(has(c.remedy, "--btf FILE"));
    BOOST_TEST(has(c.remedy, "CONFIG_DEBUG_INFO_BTF"));
    BOOST_TEST(!worth_trying(f, {}));

    config with_file;
    with_file.btf_file = "/tmp/btf";
    BOOST_TEST(has(only(f, "btf", with_file).finding, "/tmp/btf"));
    BOOST_TEST((only(f, "btf", with_file).verdict == verdict::good));
    BOOST_TEST(worth_trying(f, with_file));
    f.own_btf = true; // Does not help: the file was asked for.
    f.btf_file_problem = "/tmp/btf: no BTF";
    BOOST_TEST(the_one(f, verdict::bad, with_file).finding == "/tmp/btf: no BTF");
    BOOST_TEST(has(the_one(f, verdict::bad, with_file).remedy, "leave the file out"));
    BOOST_TEST(!worth_trying(f, with_file));
    f.own_btf = false;
    BOOST_TEST(has(the_one(f, verdict::bad, with_file).remedy, "--btf FILE"));
}

BOOST_AUTO_TEST_CASE(lockdown) {
    auto f = good_host();
    f.lockdown = lockdown_mode::integrity;
    BOOST_TEST((only(f, "lockdown").verdict == verdict::good));
    f.lockdown = lockdown_mode::not_confidentiality;
    BOOST_TEST((only(f, "lockdown").verdict == verdict::good));
    BOOST_TEST(has(only(f, "lockdown").finding, "not confidentiality"));
    // What it does not refuse: preflight_netfilter_test.cpp.
    f.lockdown = lockdown_mode::confidentiality;
    for (const auto mode : {ctflow::attach_mode::fentry, ctflow::attach_mode::kprobe}) {
        config tracing;
        tracing.attach = mode;
        const auto c = the_one(f, verdict::bad, tracing);
        BOOST_TEST(c.name == "lockdown");
        BOOST_TEST(has(c.remedy, "without lockdown=confidentiality"));
        BOOST_TEST(has(c.remedy, "--attach auto"));
        BOOST_TEST(!worth_trying(f, tracing));
    }
}

BOOST_AUTO_TEST_CASE(lockdown_is_not_guessed) {
    auto f = good_host();
    f.lockdown.reset();
    f.load.reset();
    BOOST_TEST(has(only(f, "lockdown").finding, "this kernel has none"));
    f.securityfs = false;
    const auto c = the_one(f, verdict::warning);
    BOOST_TEST(c.name == "lockdown");
    BOOST_TEST(has(c.finding, "cannot be told"));
    BOOST_TEST(c.remedy == "mount -t securityfs securityfs /sys/kernel/security");
    BOOST_TEST(worth_trying(f, {}));
    f.load = load_attempt{}; // What is not refused is not locked down.
    BOOST_TEST((only(f, "lockdown").verdict == verdict::good));
    f.load->refusal = errc::lockdown;
    BOOST_TEST((only(f, "lockdown").verdict == verdict::warning));
    BOOST_TEST(has(only(f, "hooks").finding, "lockdown"));
}

BOOST_AUTO_TEST_CASE(capabilities_that_are_missing_are_named) {
    struct {
        std::uint64_t effective;
        const char* missing;
    } const cases[] = {{net_admin, "CAP_BPF, CAP_PERFMON"},
                       {net_admin | bpf, "CAP_PERFMON"},
                       {net_admin | perfmon, "CAP_BPF"}};
    for (const auto& each : cases) {
        auto f = good_host();
        f.effective = each.effective;
        f.perf_refused = true; // As it is for who lacks them.
        const auto c = the_one(f, verdict::bad);
        BOOST_TEST(c.name == "capabilities");
        BOOST_TEST(c.finding.ends_with(std::string(": ") + each.missing), c.finding);
        BOOST_TEST(c.remedy == "setcap cap_bpf,cap_perfmon,cap_net_admin=ep /usr/bin/flowdump");
        BOOST_TEST(!worth_trying(f, {}));
        f.flow_tables.reset(); // Is not another condition then.
        BOOST_TEST(the_one(f, verdict::bad).name == "capabilities");
    }
}

BOOST_AUTO_TEST_CASE(two_capabilities_suffice) {
    auto f = good_host();
    f.effective = bpf | perfmon;
    BOOST_TEST(has(only(f, "capabilities").finding, "fentry needs CAP_SYS_ADMIN"));
    BOOST_TEST((only(f, "capabilities").verdict == verdict::good));
    f.effective = sys_admin;
    BOOST_TEST((only(f, "capabilities").verdict == verdict::good));

    f.effective = bpf | perfmon;
    f.acct = 0; // Then somebody must be able to set it.
    f.sysctls_writable = false;
    BOOST_TEST((only(f, "capabilities").verdict == verdict::good)); // Not the program.
    f.sysctls_applied = true;
    BOOST_TEST((only(f, "capabilities").verdict == verdict::warning));
    BOOST_TEST(has(only(f, "capabilities").finding, "CAP_NET_ADMIN"));
    f.acct = 1;
    f.timestamp = 0;
    BOOST_TEST((only(f, "capabilities").verdict == verdict::warning));
    f.effective = bpf | perfmon | net_admin;
    BOOST_TEST((only(f, "capabilities").verdict == verdict::good));
}

BOOST_AUTO_TEST_CASE(a_paranoid_kernel) {
    auto f = good_host();
    f.effective = bpf | perfmon;
    f.load.reset();
    f.perf_refused = true;
    const auto c = the_one(f, verdict::bad);
    BOOST_TEST(c.name == "capabilities");
    BOOST_TEST(has(c.finding, "perf_event_paranoid is 3"));
    BOOST_TEST(c.remedy == "sysctl -w kernel.perf_event_paranoid=2");
    BOOST_TEST(!worth_trying(f, {}));
    f.perf_event_paranoid.reset();
    BOOST_TEST(the_one(f, verdict::bad).remedy == c.remedy);
    f.effective = sys_admin; // Passes it.
    BOOST_TEST((only(f, "capabilities").verdict == verdict::good));
}

BOOST_AUTO_TEST_CASE(capabilities_that_cannot_be_had_or_do_not_count) {
    auto f = good_host();
    f.effective = 0;
    f.bounding = everything & ~bpf;
    BOOST_TEST(has(the_one(f, verdict::bad).remedy, "--cap-add"));
    f.bounding.reset();
    BOOST_TEST(the_one(f, verdict::bad).remedy.starts_with("setcap "));
    f.executable = "/opt/it's here/flowdump";
    BOOST_TEST(the_one(f, verdict::bad).remedy.ends_with(R"(=ep '/opt/it'\''s here/flowdump')"));
    f.executable.clear();
    BOOST_TEST(the_one(f, verdict::bad).remedy.ends_with("=ep PROGRAM"));

    f = good_host();
    f.initial_user_namespace = false; // All of them, but not over the host.
    BOOST_TEST(has(the_one(f, verdict::bad).finding, "user namespace"));
    f = good_host();
    f.effective.reset();
    BOOST_TEST(the_one(f, verdict::warning).name == "capabilities");
}

BOOST_AUTO_TEST_CASE(memory_is_reckoned) {
    auto f = good_host();
    BOOST_TEST(only(f, "memory").finding ==
               "about 15 MiB needed, of 512 MiB that the machine has left");
    config large;
    large.buffer_pages = 65536;
    auto c = the_one(f, verdict::bad, large);
    BOOST_TEST(c.name == "memory");
    BOOST_TEST(c.finding == "perf buffers of 65536 pages need 1025 MiB of kernel memory: two for "
                            "each of 2 CPUs, of 512 MiB that the machine has left");
    BOOST_TEST(has(c.remedy, "--buffer-pages"));
    BOOST_TEST(worth_trying(f, large)); // With less of it.
    large.buffer_pages = 16384;
    BOOST_TEST(the_one(f, verdict::warning, large).name == "memory");
    large.buffer_pages = 8192;
    BOOST_TEST((only(f, "memory", large).verdict == verdict::good));

    large.transport = ctflow::transport_kind::ring_buffer;
    BOOST_TEST((only(f, "memory", large).verdict == verdict::good));
    large.buffer_pages = 65536;
    c = the_one(f, verdict::bad, large);
    BOOST_TEST(has(c.finding, "ring buffers of 65536 pages for each CPU need 1025 MiB"));
    f.machine.cpus = 9;
    f.available_memory = std::uint64_t{1} << 40;
    c = the_one(f, verdict::bad, large);
    BOOST_TEST(has(c.finding, "2048 MiB is the kernel's limit"));
    BOOST_TEST(has(c.remedy, "--buffer-pages"));
    BOOST_TEST(sizes_to_try(f, large).buffer_pages == 64U);
    f = good_host();

    config many;
    many.reserve_pages = config::reserve_pages_limit;
    f.available_memory = std::uint64_t{64} << 20;
    c = the_one(f, verdict::bad, many);
    BOOST_TEST(has(c.finding, "a reserve of 16384 pages needs 65 MiB"));
    BOOST_TEST(has(c.remedy, "--reserve-pages"));
    f = good_host();

    many.max_flows = config::max_flows_limit;
    c = the_one(f, verdict::bad, many);
    BOOST_TEST(has(c.finding, "a table of 67108864 flows needs about 6720 MiB"));
    BOOST_TEST(has(c.remedy, "--max-flows"));
    f.available_memory.reset();
    BOOST_TEST(the_one(f, verdict::warning).name == "memory");
}

BOOST_AUTO_TEST_CASE(no_memory_is_taken_that_is_not_there_or_tells_nothing) {
    auto f = good_host();
    const auto pages = [&](std::size_t wanted) {
        config c;
        c.buffer_pages = wanted;
        return sizes_to_try(f, c).buffer_pages;
    };
    const auto flows = [&](std::uint32_t wanted) {
        config c;
        c.max_flows = wanted;
        return sizes_to_try(f, c).max_flows;
    };
    BOOST_TEST(pages(8) == 8U);
    BOOST_TEST(pages(1024) == 64U);
    BOOST_TEST(pages(1000) == 1000U); // Will be refused.
    BOOST_TEST(flows(10) == 10U);
    BOOST_TEST(flows(1000000) == 1000000U);
    BOOST_TEST(flows(config::max_flows_limit) == 65536U);
    f.effective = bpf | perfmon; // There is a limit, then.
    BOOST_TEST(pages(1024) == 1024U);
    BOOST_TEST(pages(65536) == 64U);
}

BOOST_AUTO_TEST_CASE(without_the_module_nothing_else_is_said_of_conntrack) {
    auto f = good_host();
    f.module = false;
    f.load.reset();
    f.conntrack_in_btf = false;
    f.acct.reset();
    f.timestamp.reset();
    const auto c = the_one(f, verdict::bad);
    BOOST_TEST(c.name == "module");
    BOOST_TEST(c.remedy == "modprobe nf_conntrack");
    BOOST_TEST(!worth_trying(f, {}));
    BOOST_TEST((names(f) == std::vector<std::string>{"kernel", "btf", "lockdown", "capabilities",
                                                     "memory", "module"}));
    BOOST_TEST(only(f, "btf").finding == "the kernel's own"); // Of conntrack's, nobody knows.
}

BOOST_AUTO_TEST_CASE(tracing_that_is_switched_off_is_told_with_its_switch) {
    auto f = good_host();
    f.ftrace_enabled = 0;
    auto c = the_one(f, verdict::bad);
    BOOST_TEST(c.name == "hooks");
    BOOST_TEST(c.remedy == "sysctl -w kernel.ftrace_enabled=1");

    f = good_host();
    f.kprobes_enabled = 0;
    BOOST_TEST((only(f, "hooks").verdict == verdict::good)); // fentry does without.
    f.load->kernel.attach = ctflow::attach_mode::kprobe;
    c = the_one(f, verdict::bad);
    BOOST_TEST(c.name == "hooks");
    BOOST_TEST(c.remedy == "echo 1 >/sys/kernel/debug/kprobes/enabled");

    for (const auto known : {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(1)}) {
        f.ftrace_enabled = f.kprobes_enabled = known;
        BOOST_TEST((only(f, "hooks").verdict == verdict::good));
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_is_told_in_its_own_words) {
    struct {
        errc refusal;
        const char* remedy;
    } const cases[] = {{errc::conntrack_missing, "modprobe nf_conntrack"},
                       {errc::locked_memory, ",cap_ipc_lock=ep /usr/bin/flowdump"},
                       {errc::fentry_unavailable, "--attach auto"},
                       {errc::no_symbols, "ProcSubset=all"},
                       {errc::hook_missing, "--avoid"},
                       {errc::filter_too_long, "--filter"},
                       {errc::no_memory, "--max-flows"},
                       {errc::lockdown, "lockdown=confidentiality"},
                       {errc::forbidden, "/sys/kernel/security/lsm"},
                       {errc::load_failed, "report"}};
    for (const auto& each : cases) {
        auto f = good_host();
        f.load->refusal = each.refusal;
        f.load->diag = "first line\nsecond line";
        const auto c = the_one(f, verdict::bad);
        BOOST_TEST(c.name == "hooks");
        BOOST_TEST(c.finding == make_error_code(each.refusal).message() + " (first line)");
        BOOST_TEST(has(c.remedy, each.remedy), c.remedy);
    }
    auto f = good_host();
    f.release = "5.10.0-46-cloud-amd64"; // Where maps count too.
    f.load->refusal = errc::locked_memory;
    BOOST_TEST(has(the_one(f, verdict::bad).remedy, ",cap_sys_resource=ep"));
    f.load->refusal = {EMFILE, boost::system::system_category()};
    BOOST_TEST(has(the_one(f, verdict::bad).remedy, "ulimit -n"));
    f.load->refusal = {ENFILE, boost::system::system_category()};
    BOOST_TEST(has(the_one(f, verdict::bad).remedy, "fs.file-max"));
}

BOOST_AUTO_TEST_CASE(what_is_done_already_is_not_advised) {
    auto f = good_host();
    f.load->refusal = errc::missing_capabilities;
    const auto remedy = [&](ctflow::attach_mode mode) {
        config c;
        c.attach = mode;
        return the_one(f, verdict::bad, c).remedy;
    };
    using enum ctflow::attach_mode;
    BOOST_TEST(has(remedy(fentry), "flowdump --attach kprobe"));
    for (const auto mode : {automatic, kprobe}) {
        f.perf_event_paranoid = 3;
        BOOST_TEST(remedy(mode) == "sysctl -w kernel.perf_event_paranoid=2");
        f.perf_event_paranoid = 2;
        BOOST_TEST(remedy(mode) == "grant CAP_SYS_ADMIN besides");
    }
}

BOOST_AUTO_TEST_CASE(lines) {
    BOOST_TEST(to_string(condition{"acct", verdict::bad, "it is 0", "set it"}) ==
               "FAIL  acct          it is 0 -> set it");
    BOOST_TEST(to_string(condition{"capabilities", verdict::good, "all", ""}) ==
               "ok    capabilities  all");
    std::ostringstream out;
    out << condition{"a_very_long_name", verdict::warning, "so", "do"};
    BOOST_TEST(out.str() == "WARN  a_very_long_name so -> do");
}

// On whatever host this is.
BOOST_AUTO_TEST_CASE(this_host) {
    const auto report = ctflow::preflight();
    BOOST_TEST_REQUIRE(report.conditions.size() >= 5);
    BOOST_TEST(report.conditions.front().name == "kernel");
    for (const auto& each : report.conditions) {
        BOOST_TEST_MESSAGE(each);
        BOOST_TEST(each.remedy.empty() == (each.verdict == verdict::good));
    }
}

BOOST_AUTO_TEST_SUITE_END()
