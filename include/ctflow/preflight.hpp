// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>
#include <ctflow/detail/export.hpp>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace ctflow {

/// How a condition is met.
enum class verdict : std::uint8_t {
    good,    ///< Nothing to do.
    warning, ///< The probe works, but something will be missing; or it cannot be told.
    bad,     ///< The probe cannot be had, or flows of this network namespace have no events.
};

/// Something that the host must be, or have, for events to come.
struct condition {
    std::string name;                                ///< One word.
    ctflow::verdict verdict = ctflow::verdict::good; ///< How it is met.
    std::string finding; ///< What was found and what it means, in one line.
    std::string remedy;  ///< A shell command (for root) where one mends it, else what to do.
                         ///< Empty if good.

    /// It concerns the flows of this network namespace alone: even while it is bad, those of others
    /// may have events.
    bool this_namespace_only = false;

    /// Whether all members are the same.
    friend bool operator==(const condition&, const condition&) = default;
};

/// What the program does about conntrack's sysctls before it starts its probe.
enum class sysctl_use : std::uint8_t {
    left_alone, ///< Nothing.
    applied,    ///< Calls apply_sysctls(), and does not go on if that fails. flowdump does so,
                ///< unless told --no-sysctl.
};

/// What preflight() found.
struct preflight_report {
    /// In this order. Left out are those that mean nothing while an earlier one is bad.
    ///
    /// - `kernel`: Linux 5.8 or newer.
    /// - `btf`: the kernel's types, and whether conntrack's functions are among them (fentry).
    /// - `lockdown`: not confidentiality, under which netfilter's hooks remain.
    /// - `capabilities`: CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN; CAP_NET_ADMIN while sysctls are
    ///   to be set, and for netfilter's hooks; kernel.perf_event_paranoid, but for those.
    /// - `memory`: there is enough for the buffers and the flow table. Reckoned.
    /// - `module`: nf_conntrack is loaded.
    /// - `hooks`: the kernel takes the programs. Tried, unless one of the above but memory is bad.
    ///   A warning where attach_mode::automatic has come down to netfilter's hooks, which see one
    ///   network namespace.
    /// - `acct`, `timestamp`: conntrack's sysctls.
    /// - `events`: the same, whether ctnetlink tells of the ends of flows. With netfilter's hooks.
    /// - `tracking`: something makes conntrack follow packets, of IPv4 and IPv6. Without those of
    ///   IPv4 it is bad, without those of IPv6 a warning, unless there are no IPv6 addresses.
    /// - `table`: conntrack's table has room.
    /// - `offload`: no nftables flow table keeps packets from being counted.
    std::vector<condition> conditions;

    /// Whether none is bad.
    CTFLOW_DECL bool works() const noexcept;
};

/// Finds out why a probe of this configuration cannot be made here, or would have no events.
///
/// Looks at the network namespace of the calling thread; the probe itself sees all of them, unless
/// by netfilter's hooks. To be sure, it makes a probe as basic_probe's constructor does (which, for
/// fentry, attaches a program that does nothing for a moment) and lets it go; with small buffers,
/// where large ones would do nothing but take memory. Beyond that it changes nothing, but the
/// kernel may load modules to answer (nfnetlink, nfnetlink_hook, nf_tables); and where the kernel
/// does not list its hooks (before Linux 5.14, or without CAP_NET_ADMIN), it connects to itself
/// over loopback and looks whether conntrack has seen it.
///
/// Takes a second or so, in which it blocks. Its probe's perf buffers count against the same limit
/// of locked memory as those of a probe that runs already for this user.
///
/// @par Errors
/// None but std::bad_alloc: what it cannot find out is a condition, too.
///
/// @par Thread-safety
/// May be called from any thread.
///
/// @param c  what the probe is to be made with
/// @param s  what the program does about conntrack's sysctls
CTFLOW_DECL preflight_report preflight(const config& c = {}, sysctl_use s = sysctl_use::left_alone);

/// "ok", "WARN", "FAIL".
CTFLOW_DECL const char* to_string(verdict v) noexcept;

/// One line without a newline, aligned with those of other conditions, the remedy behind " -> ".
/// For people; its form may change.
CTFLOW_DECL std::string to_string(const condition& c);

/// Writes to_string(c).
CTFLOW_DECL std::ostream& operator<<(std::ostream& os, const condition& c);

} // namespace ctflow
