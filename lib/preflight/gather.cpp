// SPDX-License-Identifier: Apache-2.0
#include "preflight/gather.hpp"

#include "host/btf.hpp"
#include "host/conntrack.hpp"
#include "host/release.hpp"
#include "host/symbols.hpp"
#include "preflight/loopback.hpp"
#include "preflight/netfilter.hpp"

#include <ctflow/probe.hpp>

#include <boost/asio/io_context.hpp>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ctflow::checks {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> read_number(const std::string& path) {
    std::ifstream file(path);
    std::uint64_t value = 0;
    return (file >> value) ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> conntrack_sysctl(const std::string& name) {
    return read_number("/proc/sys/net/netfilter/nf_conntrack_" + name);
}

// The other one has the same permissions.
bool sysctls_writable() {
    return ::faccessat(AT_FDCWD, "/proc/sys/net/netfilter/nf_conntrack_acct", W_OK, AT_EACCESS) ==
           0;
}

bool sysctls_read_only() {
    struct statvfs s {};
    return ::statvfs("/proc/sys/net/netfilter/nf_conntrack_acct", &s) == 0 &&
           (s.f_flag & ST_RDONLY) != 0;
}

// The file is empty where IPv6 is switched off, and is not there in a kernel without it.
bool has_ipv6_addresses() {
    std::ifstream file("/proc/net/if_inet6");
    return file.peek() != std::ifstream::traits_type::eof();
}

std::string read_link(const char* path) {
    std::error_code ignored;
    return fs::read_symlink(path, ignored).string();
}

bool securityfs_mounted() {
    struct statfs s {};
    return ::statfs("/sys/kernel/security", &s) == 0 && s.f_type == SECURITYFS_MAGIC;
}

// Whether the kind of event that perf buffers are made of may not be had.
bool perf_refused() {
    perf_event_attr attr{};
    attr.size = sizeof(attr);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_BPF_OUTPUT;
    const auto fd = ::syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd >= 0) {
        ::close(static_cast<int>(fd));
    }
    return fd < 0 && errno == EACCES;
}

// Outside of the initial namespace, kernels show a limit that belongs to another read-only.
bool max_belongs_here() {
    std::error_code failure;
    const auto mode = fs::status("/proc/sys/net/netfilter/nf_conntrack_max", failure).permissions();
    return failure || (mode & fs::perms::owner_write) != fs::perms::none;
}

// Whether the kernel is without the code for flow tables. Everybody may know that; and then nothing
// is loaded to ask.
bool flow_tables_impossible() {
    constexpr std::string_view conntrack = "__nf_ct_refresh_acct"; // To know that names are told.
    constexpr std::string_view flow_tables = "nf_flow_table_init";
    const auto found = host::find_functions(std::to_array({conntrack, flow_tables}));
    return found && found->contains(conntrack) && !found->contains(flow_tables);
}

void gather_types(host_facts& f, const config& c) {
    const host::kernel_btf btf;
    f.own_btf = static_cast<bool>(btf);
    constexpr std::string_view counted[] = {"__nf_ct_refresh_acct"};
    f.conntrack_in_btf = !btf.find_functions(counted).empty();
    if (!c.btf_file.empty()) {
        (void)host::usable_btf(c.btf_file, btf, f.btf_file_problem);
    }
}

void gather_rights(host_facts& f) {
    f.lockdown = host::current_lockdown();
    f.securityfs = securityfs_mounted();
    f.effective = host::effective_capabilities();
    f.bounding = host::bounding_capabilities();
    const auto user_namespace = read_link("/proc/self/ns/user");
    // The first one's number is fixed: PROC_USER_INIT_INO.
    f.initial_user_namespace = user_namespace.empty() || user_namespace == "user:[4026531837]";
    f.perf_refused = perf_refused();
    f.perf_event_paranoid = read_number("/proc/sys/kernel/perf_event_paranoid");
    f.executable = read_link("/proc/self/exe");
}

// Programs load and attach all the same while these are off.
void gather_switches(host_facts& f) {
    f.ftrace_enabled = read_number("/proc/sys/kernel/ftrace_enabled");
    f.kprobes_enabled = read_number("/sys/kernel/debug/kprobes/enabled");
}

void gather_conntrack(host_facts& f) {
    f.acct = conntrack_sysctl("acct");
    f.timestamp = conntrack_sysctl("timestamp");
    f.events = conntrack_sysctl("events");
    f.sysctls_writable = sysctls_writable();
    f.sysctls_read_only = sysctls_read_only();
    f.count = conntrack_sysctl("count"); // Before loopback adds to it.
    f.max = conntrack_sysctl("max");
    f.max_belongs_here = max_belongs_here();
    f.hooks = list_conntrack_hooks();
    if (!f.hooks) {
        f.loopback = try_loopback();
    }
    f.ipv6 = has_ipv6_addresses();
    f.flow_tables = flow_tables_impossible() ? std::vector<flow_table>() : list_flow_tables();
}

} // namespace

host_facts gather(const config& c) {
    host_facts f;
    f.release = host::running_release();
    gather_types(f, c);
    gather_rights(f);
    gather_switches(f);
    f.machine = host::this_machine();
    f.available_memory = host::available_memory();
    f.module = host::conntrack_present();
    if (f.module) {
        gather_conntrack(f);
    }
    return f;
}

load_attempt try_to_load(const config& c) {
    load_attempt attempt;
    boost::asio::io_context context(1);
    const probe p(context, c, attempt.refusal, attempt.diag);
    attempt.kernel = p.kernel();
    return attempt;
}

} // namespace ctflow::checks
