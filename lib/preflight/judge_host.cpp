// SPDX-License-Identifier: Apache-2.0
//
// Whether the probe can be had.
#include "preflight/judge.hpp"

#include <cerrno>

namespace ctflow::checks {
namespace {

std::string hook_list(const ctflow::kernel& k) {
    std::string text;
    for (const auto& hook : k.hooks) {
        text += (text.empty() ? "" : ", ") + hook.function + " (" + hook.attach + ")";
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
        return "avoid fewer functions (config::avoid_functions, flowdump --avoid), or boot another "
               "kernel";
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
        return {"btf", verdict::good, "taken from " + c.btf_file, {}};
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

condition judge_lockdown(const host_facts& f) {
    if (!f.lockdown) {
        if (f.load && !f.load->refusal) {
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
        return {"lockdown", verdict::bad,
                "confidentiality: the kernel refuses tracing programs, to root too",
                "boot without lockdown=confidentiality"};
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

condition judge_memory(const host_facts& f, const config& c) {
    constexpr const char* lower_pages = "lower buffer_pages (flowdump --buffer-pages)";
    if (const auto excess = host::ring_excess(c.transport, c.buffer_pages, f.machine);
        !excess.empty()) {
        return {"memory", verdict::bad, excess, lower_pages};
    }
    const auto rings = host::ring_bytes(c.transport, c.buffer_pages, f.machine);
    const auto flows = host::flow_table_bytes(c.max_flows);
    if (!f.available_memory) {
        return {"memory", verdict::warning, "cannot be told: /proc/meminfo is not readable",
                "mount -t proc proc /proc"};
    }
    const auto of_available =
        ", of " + host::mebibytes(*f.available_memory) + " that the machine has left";
    if (rings + flows <= *f.available_memory / 2) {
        return {"memory",
                verdict::good,
                "about " + host::mebibytes(rings + flows) + " needed" + of_available,
                {}};
    }
    const bool too_much = rings + flows > *f.available_memory;
    if (rings >= flows) {
        return {"memory", too_much ? verdict::bad : verdict::warning,
                host::ring_need(c.transport, c.buffer_pages, f.machine) + of_available,
                lower_pages};
    }
    return {"memory", too_much ? verdict::bad : verdict::warning,
            host::flow_table_need(c.max_flows) + of_available,
            "lower max_flows (flowdump --max-flows)"};
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
    if (f.ftrace_enabled.value_or(1) == 0) {
        return {"hooks", verdict::bad,
                "kernel.ftrace_enabled is 0: what is hooked is never called, there are no events",
                "sysctl -w kernel.ftrace_enabled=1"};
    }
    if (attempt.kernel.attach == attach_mode::kprobe && f.kprobes_enabled.value_or(1) == 0) {
        return {"hooks", verdict::bad, "kprobes are switched off: there are no events",
                "echo 1 >/sys/kernel/debug/kprobes/enabled"};
    }
    return {"hooks", verdict::good, hook_list(attempt.kernel), {}};
}

} // namespace ctflow::checks
