// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>
#include <ctflow/detail/export.hpp>
#include <ctflow/error.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ctflow {

/// What a hook is there for.
enum class hook_role : std::uint8_t {
    insert,     ///< A flow enters the conntrack table: its first packet.
    accounting, ///< A packet of a flow has been counted.
    destroy,    ///< A flow has ended.
};

/// A kernel function, and the BPF programs that are attached to it; or a hook of netfilter's.
struct hook {
    hook_role role{};     ///< What it is there for.
    std::string function; ///< Or "LOCAL_IN", "POST_ROUTING"; "ctnetlink", which tells of ends.
    std::string attach;   ///< "fentry", "fexit", "kprobe", "kretprobe", "kprobe+kretprobe",
                          ///< "netfilter", or "netlink".

    /// Whether all three are the same.
    friend bool operator==(const hook&, const hook&) = default;
};

/// A better way to attach that could not be had, and why.
struct refused_attach {
    attach_mode attach = attach_mode::automatic; ///< Which way.
    error_code error;                            ///< Why: one that basic_probe's constructor gives.
    diagnostics diag; ///< More about it, as basic_probe's constructor gives it.
};

/// The kernel that a probe was made for, and how it hooks it.
struct kernel {
    std::string release;                         ///< As uname -r prints it.
    attach_mode attach = attach_mode::automatic; ///< The way taken.
    std::vector<hook> hooks;                     ///< What is hooked, in the order of hook_role.
    std::vector<refused_attach> refused;         ///< With attach_mode::automatic, best first.
};

/// An embedded BPF object, and the kernel it was chosen for.
struct selection {
    std::string_view name;             ///< Name of the object.
    std::span<const std::byte> object; ///< The ELF file, alive as long as the program.
    ctflow::kernel kernel;             ///< hooks is empty: it takes a look at the host to fill it.
};

/// Chooses the BPF object for a kernel release such as "6.1.0-56-cloud-amd64". ctflow's object
/// relocates itself on the kernel it meets (CO-RE): today one serves all.
///
/// @par Errors
/// errc::kernel_release if the text does not begin with MAJOR.MINOR,
/// errc::kernel_too_old below 5.8.
CTFLOW_DECL selection select(std::string_view release, error_code& ec);

/// The same, throwing system_error.
CTFLOW_DECL selection select(std::string_view release);

} // namespace ctflow
