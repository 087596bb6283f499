// SPDX-License-Identifier: Apache-2.0
//
// What the process may, and how it comes to may more.
#include "host/locked_memory.hpp"
#include "preflight/judge.hpp"

#include <linux/capability.h>

namespace ctflow::checks {
namespace {

constexpr std::uint64_t bit(unsigned capability) noexcept {
    return std::uint64_t{1} << capability;
}

// As one word of a shell command.
std::string quoted(const std::string& text) {
    constexpr const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "/._+-";
    if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) {
        return text;
    }
    std::string out = "'";
    for (const char c : text) {
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return out + "'";
}

} // namespace

bool has_capability(const host_facts& f, unsigned capability) {
    return f.effective && (*f.effective & bit(capability)) != 0;
}

bool sysctls_set(const host_facts& f) {
    return f.acct.value_or(1) != 0 && f.timestamp.value_or(1) != 0;
}

std::string grant(const host_facts& f, const std::string& more) {
    constexpr auto wanted = bit(CAP_BPF) | bit(CAP_PERFMON) | bit(CAP_NET_ADMIN);
    if (f.bounding && (*f.bounding & wanted) != wanted) {
        return "let its container or service have them (docker --cap-add, systemd "
               "CapabilityBoundingSet=): CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN";
    }
    return "setcap cap_bpf,cap_perfmon,cap_net_admin" + more + "=ep " +
           quoted(f.executable.empty() ? "PROGRAM" : f.executable);
}

std::string locked_memory_capability(const host_facts& f) {
    return host::bpf_is_locked_memory(f.release) ? ",cap_sys_resource" : ",cap_ipc_lock";
}

namespace {

// Whether it was found out that netfilter's hooks, which do without perf events, cannot be had
// either.
bool nothing_without_perf_events(const load_attempt& attempt) {
    return attempt.refusal == errc::missing_capabilities ||
           attempt.refusal == errc::netfilter_unavailable;
}

// Of a kernel that has perf events for CAP_SYS_ADMIN only.
condition judge_paranoia(const host_facts& f, const config& c) {
    const auto finding =
        "kernel.perf_event_paranoid is " +
        (f.perf_event_paranoid ? std::to_string(*f.perf_event_paranoid) : "too high") +
        ": this kernel then has perf events (perf buffers, kprobes) for CAP_SYS_ADMIN only";
    if (c.attach != attach_mode::automatic || !has_capability(f, CAP_NET_ADMIN) ||
        (f.load && nothing_without_perf_events(*f.load))) {
        return {"capabilities", verdict::bad, finding, lower_paranoid};
    }
    return {"capabilities", verdict::warning,
            finding + "; netfilter's hooks do without, and see this network namespace alone",
            lower_paranoid};
}

// What the set of capabilities is good for.
std::string describe_capabilities(const host_facts& f, bool netfilter) {
    const bool all = has_capability(f, CAP_SYS_ADMIN);
    if (netfilter) {
        return std::string(all ? "CAP_SYS_ADMIN" : "CAP_BPF, CAP_PERFMON") +
               " and CAP_NET_ADMIN: netfilter's hooks";
    }
    return all ? "CAP_SYS_ADMIN"
               : "CAP_BPF and CAP_PERFMON: kprobes; fentry needs CAP_SYS_ADMIN besides";
}

} // namespace

condition judge_capabilities(const host_facts& f, const config& c) {
    if (!f.effective) {
        return {"capabilities", verdict::warning, "cannot be told: /proc is not readable",
                "mount -t proc proc /proc"};
    }
    if (!f.initial_user_namespace) {
        return {"capabilities", verdict::bad,
                "they hold in a user namespace only, and BPF programs need those of the host",
                "run it outside of the user namespace (a rootless container has one)"};
    }
    // What lockdown leaves needs more.
    const bool netfilter =
        by_netfilter(f, c) ||
        (c.attach == attach_mode::automatic && f.lockdown == host::lockdown_mode::confidentiality);
    const auto how = netfilter ? attach_mode::netfilter : c.attach;
    if (const auto missing = host::missing_capabilities(*f.effective, how); !missing.empty()) {
        return {"capabilities", verdict::bad, "missing, and the program is refused: " + missing,
                grant(f)};
    }
    const bool traced = f.load && !f.load->refusal && !by_netfilter(f, c);
    if (f.perf_refused && !has_capability(f, CAP_SYS_ADMIN) && !traced &&
        c.attach != attach_mode::netfilter) {
        return judge_paranoia(f, c);
    }
    if (f.sysctls_applied && !f.sysctls_writable && !has_capability(f, CAP_NET_ADMIN) &&
        !sysctls_set(f)) {
        return {"capabilities", verdict::warning,
                "CAP_NET_ADMIN is missing: conntrack's sysctls cannot be set by the program",
                grant(f)};
    }
    return {"capabilities", verdict::good, describe_capabilities(f, netfilter), {}};
}

} // namespace ctflow::checks
