// SPDX-License-Identifier: Apache-2.0
#include <ctflow/detail/probe_core.hpp>
#include <ctflow/error.hpp>

#include <string>

namespace ctflow {
namespace {

const char* describe(errc e) noexcept {
    switch (e) {
    case errc::curve0_age:
        return "curve0's age must be below curve1's: curve ages rise from point to point";
    case errc::curve1_age:
        return "curve1's age must be below curve2's: curve ages rise from point to point";
    case errc::curve_out_of_range:
        return "the ages and rates of curve points must be between zero and a hundred years";
    case errc::buffer_pages:
        return "buffer_pages must be a power of two, such as 64, and at most 65536; with ring "
               "buffers 2 GiB at most for all CPUs together";
    case errc::reserve_pages:
        return "reserve_pages must be a power of two, such as 1024, and at most 16384";
    case errc::flush_interval:
        return "flush_interval must be between zero and a second";
    case errc::max_flows:
        return "max_flows must be between 1 and 67108864";
    case errc::netlink_buffer:
        return "netlink_buffer must be between 4096 and 1073741824 bytes";
    case errc::audit_interval:
        return "audit_interval must be between zero and a day";
    case errc::kernel_release:
        return "not a kernel release: it must begin with MAJOR.MINOR, as uname -r prints it";
    case errc::kernel_too_old:
        return "this kernel is too old: Linux 5.8 or newer is needed";
    case errc::no_btf:
        return "this kernel does not describe its types: a kernel built with "
               "CONFIG_DEBUG_INFO_BTF, that has /sys/kernel/btf/vmlinux, is needed, or a file with "
               "its BTF (config::btf_file)";
    case errc::btf_file:
        return "the BTF file cannot be used: it must be the BTF of this very kernel, as pahole "
               "--btf_encode_detached or BTFHub make it";
    case errc::conntrack_missing:
        return "conntrack is not in this kernel: load the nf_conntrack module "
               "(modprobe nf_conntrack)";
    case errc::no_symbols:
        return "/proc/kallsyms cannot be read, or is empty: kprobes need it to find conntrack's "
               "functions; show it to this process";
    case errc::hook_missing:
        return "this kernel has no function of conntrack's to hook where one is needed";
    case errc::fentry_unavailable:
        return "fentry is not possible for this kernel's conntrack: choose kprobe or automatic";
    case errc::netfilter_unavailable:
        return "this kernel runs no BPF programs at netfilter's hooks: Linux 6.4 or newer is "
               "needed";
    case errc::ctnetlink_missing:
        return "this kernel does not tell of the ends of flows: load the nf_conntrack_netlink "
               "module (modprobe nf_conntrack_netlink)";
    case errc::missing_capabilities:
        return "not permitted: run it as root, or with CAP_BPF and CAP_PERFMON where those suffice "
               "(see the README)";
    case errc::locked_memory:
        return "too little memory may be locked: raise the limit (ulimit -l), or grant "
               "CAP_IPC_LOCK or, before Linux 5.11, CAP_SYS_RESOURCE; smaller buffers need less";
    case errc::lockdown:
        return "kernel lockdown forbids tracing programs: boot without lockdown=confidentiality";
    case errc::no_memory:
        return "the kernel has too little memory for it: lower max_flows or buffer_pages, or give "
               "the machine or its cgroup more";
    case errc::forbidden:
        return "not permitted, though no capability is missing: something else forbids it, a "
               "security module (/sys/kernel/security/lsm) or a seccomp filter, which containers "
               "have by default";
    case errc::load_failed:
        return "the kernel refused the BPF program";
    case errc::attach_failed:
        return "the BPF program could not be attached";
    case errc::sysctl_missing:
        return "the sysctl does not exist: load the nf_conntrack module (modprobe nf_conntrack)";
    case errc::sysctl_denied:
        return "the sysctl may not be written: CAP_NET_ADMIN (or root) and a writable /proc/sys "
               "are needed";
    case errc::already_started:
        return "the probe is started already";
    case errc::not_started:
        return "the probe is not started";
    case errc::stopping:
        return "the probe is still stopping: wait until async_run has completed";
    case errc::conntrack_unloaded:
        return "conntrack's module was unloaded under the probe, which sees nothing any more: load "
               "it "
               "(modprobe -a nf_conntrack nf_conntrack_netlink), then stop and start the probe";
    case errc::already_running:
        return "async_run is outstanding already";
    case errc::duplicate_consumer:
        return "a consumer of this name is registered already";
    case errc::unknown_consumer:
        return "no consumer of this name is registered";
    case errc::consumer_registered:
        return "the consumer is registered already, with this probe or with another";
    case errc::consumer_closed:
        return "the consumer is closed";
    case errc::receive_outstanding:
        return "a receive is outstanding already";
    case errc::flushed:
        return "all that was in the buffer when flush() was called has been received";
    case errc::filter_syntax:
        return "not a filter: one is written like \"proto tcp and not port 22\"";
    case errc::no_filter:
        return "the probe was made without a filter: set config::filter, to one that lets all "
               "through if need be";
    case errc::filter_too_long:
        return "the filter is too long, or nested too deeply: simplify it; the kernel takes 64 "
               "tests";
    }
    return "unknown error";
}

class ctflow_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "ctflow"; }
    std::string message(int value) const override { return describe(static_cast<errc>(value)); }
};

} // namespace

const boost::system::error_category& category() noexcept {
    static const ctflow_category instance;
    return instance;
}

system_error::system_error(const error_code& ec, const diagnostics& diag)
    : boost::system::system_error(ec), what_(ec.message()) {
    if (diag.find('\n') != diagnostics::npos) {
        what_ += ":\n" + diag; // A log.
    } else if (!diag.empty()) {
        what_ += " (" + diag + ")";
    }
}

} // namespace ctflow
