// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <type_traits>

namespace ctflow {

/// Boost's, as Asio has it: ctflow's own errors (errc), or those of system calls.
using error_code = boost::system::error_code;

/// More about a failure than an error_code can hold: libbpf's messages, the verifier's log, the
/// name of the thing that is missing. Empty on success. The throwing functions put it into what().
using diagnostics = std::string;

/// What a throwing function of ctflow throws. what() is the error's sentence, which says what to
/// do, followed by the diagnostics, if any.
class CTFLOW_DECL system_error : public boost::system::system_error {
public:
    /// Of a code and what is known besides.
    explicit system_error(const error_code& ec, const diagnostics& diag = {});

    /// The sentence, then the diagnostics: in parentheses, or below it if they have several lines.
    const char* what() const noexcept override { return what_.c_str(); }

private:
    std::string what_;
};

/// ctflow's own error codes. message() is a sentence that says what to do. Errors that come
/// straight from a system call keep their errno, in boost::system::system_category().
enum class errc {
    // The configuration.
    curve0_age = 1,     ///< curve0's age is not below curve1's.
    curve1_age,         ///< curve1's age is not below curve2's.
    curve_out_of_range, ///< A curve point's age or rate is negative, or above a hundred years.
    buffer_pages,       ///< buffer_pages is not a power of two, or too many.
    reserve_pages,      ///< reserve_pages is not a power of two, or too many.
    flush_interval,     ///< flush_interval is negative, or above a second.
    max_flows,          ///< max_flows is zero, or above 67108864.
    netlink_buffer,     ///< netlink_buffer is below 4 KiB, or above 1 GiB.
    audit_interval,     ///< audit_interval is negative, or above a day.

    // The host.
    kernel_release,        ///< A kernel release string does not start with MAJOR.MINOR.
    kernel_too_old,        ///< The kernel lacks what the BPF program needs.
    no_btf,                ///< The kernel does not describe its types (CONFIG_DEBUG_INFO_BTF).
    btf_file,              ///< config::btf_file cannot be read, is no BTF, or another kernel's.
    conntrack_missing,     ///< The nf_conntrack module is not loaded.
    no_symbols,            ///< /proc/kallsyms is not there or empty, and kprobes need it.
    hook_missing,          ///< A conntrack function that must be hooked cannot be.
    fentry_unavailable,    ///< fentry was asked for, and the kernel cannot do it for conntrack.
    netfilter_unavailable, ///< The kernel has no BPF programs at netfilter's hooks (Linux 6.4).
    ctnetlink_missing,     ///< The kernel does not tell of flows' ends by netlink.
    missing_capabilities,  ///< The process may not: no root, or without CAP_BPF, CAP_PERFMON.
    locked_memory,         ///< RLIMIT_MEMLOCK is too low for perf buffers or, before 5.11, maps.
    no_memory,             ///< The kernel lacks memory for the flow table or the buffers.
    lockdown,              ///< Kernel lockdown forbids tracing programs.
    forbidden,             ///< Refused for another reason to who has all rights: a security module.
    load_failed,           ///< The kernel or libbpf refused the BPF program.
    attach_failed,         ///< A program was loaded but could not be attached.
    sysctl_missing,        ///< A sysctl does not exist in this network namespace.
    sysctl_denied,         ///< A sysctl may not be written.

    // The probe.
    already_started,     ///< start() on a probe that is started.
    not_started,         ///< stop() or async_run() on a probe that is not started.
    stopping,            ///< start() while a stop() is not through yet.
    conntrack_unloaded,  ///< conntrack's module was unloaded under a probe that was started.
    already_running,     ///< A second async_run() beside one that is outstanding.
    duplicate_consumer,  ///< A consumer of that name is registered already.
    unknown_consumer,    ///< No consumer of that name is registered.
    consumer_registered, ///< The consumer is registered, with this probe or another.

    // Receives.
    consumer_closed,     ///< The consumer was removed or its probe stopped; no event is left.
    receive_outstanding, ///< A second receive beside one that is outstanding.
    flushed,             ///< All that was in the buffer at flush() has been received.

    // Filters.
    filter_syntax,   ///< A text is no filter.
    no_filter,       ///< The probe was made without a filter, and can have none now.
    filter_too_long, ///< A filter is too long, nested too deeply, or has too many tests.
};

/// The category of errc, named "ctflow".
CTFLOW_DECL const boost::system::error_category& category() noexcept;

/// What makes errc convertible to error_code.
inline error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), category()};
}

} // namespace ctflow

/// @cond
template <>
struct boost::system::is_error_code_enum<ctflow::errc> : std::true_type {};
/// @endcond
