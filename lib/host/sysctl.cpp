// SPDX-License-Identifier: Apache-2.0
#include "host/sysctl.hpp"

#include "host/unique_fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace ctflow {
namespace host {
namespace {

error_code explain(int error) noexcept {
    switch (error) {
    case ENOENT:
        return errc::sysctl_missing;
    case EACCES:
    case EPERM:
    case EROFS:
        return errc::sysctl_denied;
    default:
        return {error, boost::system::system_category()};
    }
}

bool read_value(const std::filesystem::path& path, std::string& value) {
    const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 64> buffer{};
    const auto n = !file ? -1 : ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0) {
        return false;
    }
    value.assign(buffer.data(), static_cast<std::size_t>(n));
    value.erase(value.find_last_not_of(" \t\n") + 1);
    return true;
}

bool write_value(const std::filesystem::path& path, std::string_view value) {
    const unique_fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) {
        return false;
    }
    errno = EIO; // For a write that fell short.
    return ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

} // namespace

void set_sysctl(const std::filesystem::path& root, std::string_view name, std::string_view value,
                std::vector<sysctl_change>& changes, error_code& ec, diagnostics& diag) {
    std::string relative(name);
    std::ranges::replace(relative, '.', '/');
    const auto path = root / relative;

    std::string current;
    if (!read_value(path, current)) {
        ec = explain(errno);
    } else if (current != value) {
        if (write_value(path, value)) {
            changes.push_back({std::string(name), current, std::string(value)});
        } else {
            ec = explain(errno);
        }
    }
    if (ec) {
        diag = std::string(name) + "=" + std::string(value);
    }
}

} // namespace host

std::vector<sysctl_change> apply_sysctls(error_code& ec, diagnostics& diag) {
    std::vector<sysctl_change> changes;
    ec.clear();
    diag.clear();
    for (const auto* name :
         {"net.netfilter.nf_conntrack_acct", "net.netfilter.nf_conntrack_timestamp"}) {
        host::set_sysctl("/proc/sys", name, "1", changes, ec, diag);
        if (ec) {
            break;
        }
    }
    return changes;
}

std::vector<sysctl_change> apply_sysctls(error_code& ec) {
    diagnostics diag;
    return apply_sysctls(ec, diag);
}

std::vector<sysctl_change> apply_sysctls() {
    error_code ec;
    diagnostics diag;
    auto changes = apply_sysctls(ec, diag);
    if (ec) {
        throw system_error(ec, diag);
    }
    return changes;
}

} // namespace ctflow
