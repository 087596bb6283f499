// SPDX-License-Identifier: Apache-2.0
//
// Whether the probe can be had.
#include "preflight/judge.hpp"

#include <algorithm>
#include <cerrno>

namespace ctflow::checks {
namespace {

// Each once: netfilter's have several roles.
std::string hook_list(const ctflow::kernel& k) {
    std::vector<std::string> names;
    for (const auto& hook : k.hooks) {
        auto name = hook.function + " (" + hook.attach + ")";
        if (std::ranges::find(names, name) == names.end()) {
            names.push_back(std::move(name));
        }
    }
    std::string text;
    for (const auto& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

// Of an error; of a log its first line, which says what the rest is about.
std::string one_line(const error_code& ec, const diagnostics& diag) {
    std::string text = ec.message();
    if (!diag.empty()) {
        text += " (" + diag.substr(0, diag.find('\n')) + ")";
    }
    return text;
}

std::string remedy_for(const error_code& ec, const host_facts& f, attach_mode wanted) {
    if (ec == errc::conntrack_missing) {
        return "modprobe nf_conntrack";
    }
    if (ec == errc::locked_memory) {
        return grant(f, locked_memory_capability(f));
    }
    if (ec == errc::netfilter_unavailable) {
        return std::string("boot Linux 6.4 or newer") +
               (wanted == attach_mode::netfilter
                    ? ", or leave the way to attach to ctflow (flowdump --attach auto)"
                    : "");
    }
    if (ec == errc::ctnetlink_missing) {
        return "modprobe nf_conntrack_netlink";
    }
    if (ec == errc::missing_capabilities) {
        // The other two are there, or this would not have been tried.
        if (wanted == attach_mode::fentry) {
            return "grant CAP_SYS_ADMIN besides, or take kprobes (flowdump --attach kprobe)";
        }
        return f.perf_event_paranoid.value_or(0) > 2 ? lower_paranoid
                                                     : "grant CAP_SYS_ADMIN besides";
    }
    if (ec == errc::no_symbols) {
        return "unmount what hides /proc/kallsyms (findmnt /proc/kallsyms), or let the service see "
               "all of /proc (systemd ProcSubset=all)";
    }
    if (ec == errc::fentry_unavailable) {
        return "leave the way to attach to ctflow (flowdump --attach auto)";
    }
    if (ec == errc::hook_missing) {
        return "boot another kernel, or avoid fewer functions where some are avoided "
               "(config::avoid_functions, flowdump --avoid)";
    }
    if (ec == errc::filter_too_long) {
        return "take a filter of fewer tests (config::filter, flowdump --filter): prefixes and "
               "ranges "
               "of ports are one each";
    }
    if (ec == errc::no_memory) {
        return "lower max_flows or buffer_pages (flowdump --max-flows, --buffer-pages), or give "
               "the machine or its cgroup more memory";
    }
    if (ec == errc::lockdown) {
        return "boot without lockdown=confidentiality";
    }
    if (ec == errc::forbidden) {
        return "look for a security module (mount -t securityfs securityfs /sys/kernel/security; "
               "cat /sys/kernel/security/lsm) or a seccomp filter (containers have one: docker run "
               "--security-opt seccomp=) that forbids bpf(2) or perf_event_open(2)";
    }
    if (ec == error_code(EMFILE, boost::system::system_category())) {
        return "ulimit -n 65536 in the shell that starts it, systemd LimitNOFILE=65536, or docker "
               "run --ulimit nofile=65536";
    }
    if (ec == error_code(ENFILE, boost::system::system_category())) {
        return "sysctl -w fs.file-max=1000000";
    }
    return "try other settings or another kernel, and report it as a defect of ctflow, with what "
           "flowdump itself prints";
}

} // namespace

namespace {

condition judge_btf_for_netfilter(const host_facts& f) {
    if (!f.own_btf) {
        return {"btf", verdict::bad,
                "the kernel does not describe its types (/sys/kernel/btf/vmlinux), and for "
                "netfilter's hooks no file can",
                "boot a kernel built with CONFIG_DEBUG_INFO_BTF, or take kprobes (flowdump "
                "--attach kprobe --btf FILE)"};
    }
    return {"btf", verdict::good, "the kernel's own, which suffices for netfilter's hooks", {}};
}

// Under lockdown, netfilter's hooks are what remains.
condition judge_confidentiality(const host_facts& f, const config& c) {
    constexpr const char* no_tracing =
        "confidentiality: the kernel refuses tracing programs, to root too";
    constexpr const char* unlock = "boot without lockdown=confidentiality";
    if (c.attach == attach_mode::netfilter) {
        return {"lockdown",
                verdict::good,
                "confidentiality: tracing is refused, and netfilter's hooks are not",
                {}};
    }
    if (c.attach != attach_mode::automatic) {
        return {"lockdown", verdict::bad, no_tracing,
                std::string(unlock) +
                    ", or leave the way to attach to ctflow (flowdump --attach auto)"};
    }
    if (f.load && f.load->refusal == errc::netfilter_unavailable) {
        return {"lockdown", verdict::bad,
                std::string(no_tracing) + ", and has no BPF programs at netfilter's hooks",
                std::string(unlock) + ", or Linux 6.4 or newer"};
    }
    if (f.load && f.load->refusal == errc::lockdown) {
        return {"lockdown", verdict::bad, no_tracing, unlock};
    }
    return {"lockdown", verdict::warning,
            std::string(no_tracing) +
                "; netfilter's hooks remain, and see this network namespace alone",
            unlock};
}

bool refused_by_lockdown(const load_attempt& attempt) {
    return std::ranges::any_of(attempt.kernel.refused,
                               [](const auto& each) { return each.error == errc::lockdown; });
}

// That, and why not, of the ways that are better than the one taken.
std::string list_refused(const ctflow::kernel& k) {
    std::string text;
    for (const auto& each : k.refused) {
        text +=
            std::string("; no ") + to_string(each.attach) + ": " + one_line(each.error, each.diag);
    }
    return text;
}

// Taken for want of something better. What would be better is the last that was refused: it asks
// for less than those before.
condition judge_fallback_to_netfilter(const ctflow::kernel& k, const host_facts& f) {
    const bool locked = k.refused.empty() || k.refused.back().error == errc::lockdown;
    return {"hooks", verdict::warning,
            hook_list(k) + ", for this network namespace alone" + list_refused(k),
            locked ? "run one in each network namespace (ip netns exec NAME flowdump --attach "
                     "netfilter)"
                   : remedy_for(k.refused.back().error, f, k.refused.back().attach)};
}

} // namespace

condition judge_kernel(const host_facts& f) {
    error_code ec;
    (void)select(f.release, ec);
    if (ec == errc::kernel_too_old) {
        return {"kernel", verdict::bad, f.release + " is too old", "boot Linux 5.8 or newer"};
    }
    if (ec) {
        return {"kernel", verdict::bad, "'" + f.release + "' does not tell a version",
                "boot a kernel whose uname -r begins with MAJOR.MINOR"};
    }
    return {"kernel", verdict::good, f.release, {}};
}

condition judge_btf(const host_facts& f, const config& c) {
    if (!c.btf_file.empty()) {
        if (!f.btf_file_problem.empty()) {
            return {"btf", verdict::bad, f.btf_file_problem,
                    f.own_btf ? "leave the file out (config::btf_file, flowdump --btf): the kernel "
                                "has BTF of its own"
                              : "name the BTF of this very kernel (config::btf_file, flowdump "
                                "--btf FILE; BTFHub has many)"};
        }
        if (!by_netfilter(f, c)) {
            return {"btf", verdict::good, "taken from " + c.btf_file, {}};
        }
    }
    if (by_netfilter(f, c)) {
        return judge_btf_for_netfilter(f);
    }
    if (!f.own_btf) {
        return {"btf", verdict::bad,
                "the kernel does not describe its types: there is no /sys/kernel/btf/vmlinux",
                "name a file with this kernel's BTF (config::btf_file, flowdump --btf FILE; "
                "BTFHub has many), or boot a kernel built with CONFIG_DEBUG_INFO_BTF"};
    }
    if (!f.module) {
        return {"btf", verdict::good, "the kernel's own", {}};
    }
    return {"btf",
            verdict::good,
            f.conntrack_in_btf ? "the kernel's own, with conntrack's functions: fentry is possible"
                               : "the kernel's own, without conntrack's functions: kprobes only",
            {}};
}

condition judge_lockdown(const host_facts& f, const config& c) {
    if (!f.lockdown) {
        if (f.load && refused_by_lockdown(*f.load)) {
            return judge_confidentiality(f, c); // As the attempt has shown.
        }
        if (f.load && !f.load->refusal && !by_netfilter(f, c)) {
            return {
                "lockdown", verdict::good, "securityfs does not tell, but nothing is refused", {}};
        }
        if (f.securityfs) {
            return {"lockdown", verdict::good, "this kernel has none", {}};
        }
        return {"lockdown", verdict::warning, "cannot be told: securityfs is not mounted",
                "mount -t securityfs securityfs /sys/kernel/security"};
    }
    switch (*f.lockdown) {
    case host::lockdown_mode::confidentiality:
        return judge_confidentiality(f, c);
    case host::lockdown_mode::integrity:
        return {"lockdown", verdict::good, "integrity: tracing is allowed", {}};
    case host::lockdown_mode::not_confidentiality:
        return {"lockdown",
                verdict::good,
                "not confidentiality: tracing is allowed (securityfs does not tell more)",
                {}};
    case host::lockdown_mode::none:
        break;
    }
    return {"lockdown", verdict::good, "none", {}};
}

condition judge_module(const host_facts& f) {
    if (!f.module) {
        return {"module", verdict::bad, "nf_conntrack is not loaded: nothing follows flows",
                "modprobe nf_conntrack"};
    }
    return {"module", verdict::good, "nf_conntrack is there", {}};
}

condition judge_hooks(const load_attempt& attempt, const host_facts& f, const config& c) {
    if (attempt.refusal) {
        return {"hooks", verdict::bad, one_line(attempt.refusal, attempt.diag),
                remedy_for(attempt.refusal, f, c.attach)};
    }
    if (c.attach == attach_mode::automatic && by_netfilter(f, c)) {
        return judge_fallback_to_netfilter(attempt.kernel, f);
    }
    if (f.ftrace_enabled.value_or(1) == 0 && !by_netfilter(f, c)) {
        return {"hooks", verdict::bad,
                "kernel.ftrace_enabled is 0: what is hooked is never called, there are no events",
                "sysctl -w kernel.ftrace_enabled=1"};
    }
    if (attempt.kernel.attach == attach_mode::kprobe && f.kprobes_enabled.value_or(1) == 0) {
        return {"hooks", verdict::bad, "kprobes are switched off: there are no events",
                "echo 1 >/sys/kernel/debug/kprobes/enabled"};
    }
    return {"hooks", verdict::good, hook_list(attempt.kernel) + list_refused(attempt.kernel), {}};
}

} // namespace ctflow::checks
