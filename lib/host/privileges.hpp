// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ctflow::host {

enum class lockdown_mode {
    none,
    integrity,
    confidentiality,
    not_confidentiality, // One of the first two.
};

// Reads "none integrity [confidentiality]", /sys/kernel/security/lockdown: the mode in brackets
// is in force.
std::optional<lockdown_mode> parse_lockdown(std::string_view text) noexcept;

// Reads the effective capabilities out of /proc/self/status.
std::optional<std::uint64_t> parse_effective_capabilities(std::string_view status) noexcept;

// The same of the bounding set: those that the process can get by executing a file.
std::optional<std::uint64_t> parse_bounding_capabilities(std::string_view status) noexcept;

// Names of those that a set of capabilities lacks for tracing programs, "CAP_BPF, CAP_PERFMON";
// empty if it lacks none. CAP_SYS_ADMIN stands for both (capabilities(7)). With
// attach_mode::netfilter also CAP_NET_ADMIN, for which nothing stands: netlink asks for that one.
std::string missing_capabilities(std::uint64_t effective, attach_mode how = attach_mode::automatic);

// What follows from how perf_event_open(2) answers, asked for an event without and for one with
// registers: errno values, or 0. The latter is refused by confidentiality alone (EPERM).
std::optional<lockdown_mode> lockdown_by_perf(int without_registers, int with_registers) noexcept;

// What is in force here: as securityfs tells or, where it is not mounted, perf events.
std::optional<lockdown_mode> current_lockdown();
std::optional<std::uint64_t> effective_capabilities();
std::optional<std::uint64_t> bounding_capabilities();
std::string missing_capabilities(attach_mode how = attach_mode::automatic);

// Whether what is refused may be so for want of CAP_SYS_ADMIN: finding a module's BTF by id needs
// it (bpf(2), BPF_BTF_GET_NEXT_ID), and libbpf 1.1 does so for fentry.
bool lacks_sys_admin();

// Whether limits of locked memory hold for this process.
bool lacks_ipc_lock();

} // namespace ctflow::host
