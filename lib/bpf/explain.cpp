// SPDX-License-Identifier: Apache-2.0
#include "bpf/explain.hpp"

#include "host/locked_memory.hpp"
#include "host/memory.hpp"

#include <cerrno>

namespace ctflow::bpf {
namespace {

// What lockdown makes of a kernel that is new enough for us: these helpers are always there.
bool lacks_kernel_reads(const std::string& log) {
    return log.find("unknown func bpf_probe_read") != std::string::npos ||
           log.find("cannot use helper bpf_probe_read") != std::string::npos;
}

// What attaching is refused for, though the program was loaded.
error_code explain_attach(int error, diagnostics& diag) {
    constexpr int kernels_enotsupp = 524; // include/linux/errno.h: user space has no name for it.
    switch (error) {
    case ENOENT:
        return errc::conntrack_missing;
    case E2BIG:
        diag = "one of the functions has as many programs attached as the kernel allows";
        return errc::attach_failed;
    case kernels_enotsupp:
        diag = "this kernel cannot attach programs to the functions of this machine";
        return errc::attach_failed;
    default:
        return {};
    }
}

// The maps that max_flows gives their size.
bool concerns_flow_table(const std::string& log) {
    return log.find("map 'flows': failed to create") != std::string::npos ||
           log.find("map 'cooldowns': failed to create") != std::string::npos ||
           log.find("map 'origins': failed to create") != std::string::npos ||
           log.find("map 'unreported': failed to create") != std::string::npos;
}

// The maps that buffer_pages gives theirs.
bool concerns_rings(const std::string& log) {
    return log.find("map 'updates_ring': failed to create") != std::string::npos ||
           log.find("map 'destroys_ring': failed to create") != std::string::npos;
}

bool concerns_reserve(const std::string& log) {
    return log.find("map 'reserve': failed to create") != std::string::npos;
}

std::string descriptors_need(const refusal& r, const host::machine& m) {
    auto remedy = std::string("raise ") + (r.error == EMFILE ? "ulimit -n" : "fs.file-max");
    if (r.attach == attach_mode::netfilter) {
        return remedy;
    }
    return remedy + ": perf buffers alone take two descriptors for each of " +
           std::to_string(m.cpus) + (m.cpus == 1 ? " CPU" : " CPUs");
}

std::string what_may_forbid(const circumstances& c) {
    std::string text;
    if (c.lacks_sys_admin) {
        text = "the filters of older container engines ask for CAP_SYS_ADMIN";
    }
    if (!c.lockdown) {
        text += text.empty() ? "" : "; ";
        text += "whether lockdown does cannot be told: securityfs is not mounted";
    }
    return text;
}

} // namespace

circumstances current_circumstances(attach_mode how) {
    return {host::missing_capabilities(how), host::current_lockdown(),
            host::bpf_memory_is_limited(),   host::lacks_sys_admin(),
            host::rings_are_limited(),       host::this_machine()};
}

error_code explain(const refusal& r, const circumstances& c, diagnostics& diag) {
    if (r.error == EMFILE || r.error == ENFILE) {
        diag = descriptors_need(r, c.machine);
        return {r.error, boost::system::system_category()};
    }
    if (!c.missing_capabilities.empty()) {
        diag = "missing: " + c.missing_capabilities;
        return errc::missing_capabilities;
    }
    const bool traced = r.attach != attach_mode::netfilter; // As far as that is known.
    if (r.otherwise == errc::attach_failed && traced) {
        if (const auto known = explain_attach(r.error, diag)) {
            return known;
        }
    }
    const bool rings = r.buffer_pages != 0;
    const bool flow_table = concerns_flow_table(r.log);
    if (r.error == ENOMEM || (r.error == E2BIG && flow_table)) { // The verifier says E2BIG, too.
        diag = flow_table ? host::flow_table_need(r.kept)
               : rings    ? host::ring_need(transport_kind::perf_buffer, r.buffer_pages, c.machine)
               : concerns_rings(r.log)   ? r.ring_need
               : concerns_reserve(r.log) ? host::reserve_need(r.reserve_pages, c.machine)
                                         : r.log;
        return errc::no_memory;
    }
    if (traced && (c.lockdown == host::lockdown_mode::confidentiality ||
                   (!c.lockdown && lacks_kernel_reads(r.log)))) {
        // Not the log: it speaks of RLIMIT_MEMLOCK and of helpers, and leads astray.
        return errc::lockdown;
    }
    if (r.error == EPERM && (rings ? c.rings_are_limited : c.memory_is_limited)) {
        diag = host::locked_memory_limit();
        return errc::locked_memory;
    }
    const bool fentry = !rings && traced && r.attach != attach_mode::kprobe;
    if ((r.error == EPERM || r.error == ESRCH) && c.lacks_sys_admin && fentry) {
        diag = "CAP_SYS_ADMIN may be needed besides: fentry needs it to find the module's BTF";
        return errc::missing_capabilities;
    }
    const bool perf_event =
        rings || (r.otherwise == errc::attach_failed && traced && r.attach != attach_mode::fentry);
    if (r.error == EACCES && perf_event && c.lacks_sys_admin) {
        // perf_event_open(2). Debian and Ubuntu set it above 2, which root alone passes.
        diag = std::string(rings ? "perf buffers" : "kprobes") +
               ", unless for root, need kernel.perf_event_paranoid at 2 or below";
        return errc::missing_capabilities;
    }
    if (r.error == EPERM || (r.error == EACCES && rings)) {
        diag = what_may_forbid(c); // Not the log: it advises to raise a limit, which is none here.
        return errc::forbidden;
    }
    // EACCES too: the verifier says so of a program that it does not like, and its log why.
    diag = r.log.empty() ? error_code(r.error, boost::system::system_category()).message() : r.log;
    return r.otherwise;
}

} // namespace ctflow::bpf
