// SPDX-License-Identifier: Apache-2.0
#include "host/privileges.hpp"

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>

#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ctflow::host {
namespace {

std::string read_file(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool has(std::uint64_t set, unsigned capability) noexcept {
    return (set >> capability & 1) != 0;
}

} // namespace

std::optional<lockdown_mode> parse_lockdown(std::string_view text) noexcept {
    const auto open = text.find('[');
    const auto close = text.find(']', open);
    if (open == std::string_view::npos || close == std::string_view::npos) {
        return std::nullopt;
    }
    const auto mode = text.substr(open + 1, close - open - 1);
    if (mode == "none") {
        return lockdown_mode::none;
    }
    if (mode == "integrity") {
        return lockdown_mode::integrity;
    }
    if (mode == "confidentiality") {
        return lockdown_mode::confidentiality;
    }
    return std::nullopt;
}

namespace {

std::optional<std::uint64_t> parse_set(std::string_view status, std::string_view key) noexcept {
    const auto at = status.find(key);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const char* begin = status.data() + at + key.size();
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(begin, status.data() + status.size(), value, 16);
    return ec == std::errc() && end != begin ? std::optional(value) : std::nullopt;
}

} // namespace

std::optional<std::uint64_t> parse_effective_capabilities(std::string_view status) noexcept {
    return parse_set(status, "CapEff:\t");
}

std::optional<std::uint64_t> parse_bounding_capabilities(std::string_view status) noexcept {
    return parse_set(status, "CapBnd:\t");
}

namespace {

// @return 0 or an errno. Of this process in user mode: what even an unprivileged user may have.
int try_perf_event(bool with_registers) noexcept {
    perf_event_attr attr{};
    attr.size = sizeof(attr);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_DUMMY;
    attr.disabled = 1;
    attr.exclude_kernel = 1;
    if (with_registers) {
        attr.sample_type = PERF_SAMPLE_REGS_INTR;
        attr.sample_regs_intr = 1;
    }
    const auto fd = ::syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    ::close(static_cast<int>(fd));
    return 0;
}

} // namespace

std::string missing_capabilities(std::uint64_t effective, attach_mode how) {
    std::string missing;
    const auto need = [&](unsigned capability, const char* name) {
        if (!has(effective, capability)) {
            missing += (missing.empty() ? "" : ", ") + std::string(name);
        }
    };
    if (!has(effective, CAP_SYS_ADMIN)) {
        need(CAP_BPF, "CAP_BPF");
        need(CAP_PERFMON, "CAP_PERFMON");
    }
    if (how == attach_mode::netfilter) {
        need(CAP_NET_ADMIN, "CAP_NET_ADMIN");
    }
    return missing;
}

std::optional<lockdown_mode> lockdown_by_perf(int without_registers, int with_registers) noexcept {
    if (without_registers != 0) {
        return std::nullopt; // Refused for another reason, a seccomp filter say.
    }
    if (with_registers == 0) {
        return lockdown_mode::not_confidentiality;
    }
    return with_registers == EPERM ? std::optional(lockdown_mode::confidentiality) : std::nullopt;
}

std::optional<lockdown_mode> current_lockdown() {
    if (const auto told = parse_lockdown(read_file("/sys/kernel/security/lockdown"))) {
        return told;
    }
    return lockdown_by_perf(try_perf_event(false), try_perf_event(true));
}

std::optional<std::uint64_t> effective_capabilities() {
    return parse_effective_capabilities(read_file("/proc/self/status"));
}

std::optional<std::uint64_t> bounding_capabilities() {
    return parse_bounding_capabilities(read_file("/proc/self/status"));
}

std::string missing_capabilities(attach_mode how) {
    const auto effective = effective_capabilities();
    return effective ? missing_capabilities(*effective, how) : std::string();
}

bool lacks_sys_admin() {
    const auto effective = effective_capabilities();
    return effective && !has(*effective, CAP_SYS_ADMIN);
}

bool lacks_ipc_lock() {
    const auto effective = effective_capabilities();
    return effective && !has(*effective, CAP_IPC_LOCK);
}

} // namespace ctflow::host
