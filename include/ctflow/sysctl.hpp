// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>
#include <ctflow/error.hpp>

#include <string>
#include <vector>

namespace ctflow {

/// A sysctl that was changed.
struct sysctl_change {
    std::string name; ///< With dots: net.netfilter.nf_conntrack_acct
    std::string from; ///< The value before.
    std::string to;   ///< The value now.
};

/// Makes conntrack count and time-stamp its flows: sets net.netfilter.nf_conntrack_acct and
/// net.netfilter.nf_conntrack_timestamp to 1 in the network namespace of the calling thread.
/// Other namespaces keep theirs: each has its own two, and a new one starts with 0. Flows that
/// exist already stay as they began.
///
/// Nothing sets them back: neither the end of a probe nor that of the program. They stay as they
/// are until somebody sets them otherwise, or the namespace (for the first one: the system) ends.
///
/// @return What was changed; nothing if all was set already.
///
/// @par Thread-safety
/// May be called from any thread.
///
/// @par Errors
/// errc::sysctl_missing (nf_conntrack is not loaded), errc::sysctl_denied (needs
/// CAP_NET_ADMIN, or /proc/sys is read-only), or the errno. What was changed before the
/// error stays changed. diag names the sysctl.
CTFLOW_DECL std::vector<sysctl_change> apply_sysctls(error_code& ec, diagnostics& diag);

/// The same, without diagnostics.
CTFLOW_DECL std::vector<sysctl_change> apply_sysctls(error_code& ec);

/// The same, throwing system_error.
CTFLOW_DECL std::vector<sysctl_change> apply_sysctls();

} // namespace ctflow
