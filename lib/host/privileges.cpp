// SPDX-License-Identifier: Apache-2.0
#include "host/privileges.hpp"

#include <charconv>
#include <fstream>
#include <iterator>

#include <linux/capability.h>

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

std::string missing_capabilities(std::uint64_t effective) {
    if (has(effective, CAP_SYS_ADMIN)) {
        return {};
    }
    std::string missing;
    if (!has(effective, CAP_BPF)) {
        missing = "CAP_BPF";
    }
    if (!has(effective, CAP_PERFMON)) {
        missing += missing.empty() ? "CAP_PERFMON" : ", CAP_PERFMON";
    }
    return missing;
}

std::optional<lockdown_mode> current_lockdown() {
    return parse_lockdown(read_file("/sys/kernel/security/lockdown"));
}

std::optional<std::uint64_t> effective_capabilities() {
    return parse_effective_capabilities(read_file("/proc/self/status"));
}

std::optional<std::uint64_t> bounding_capabilities() {
    return parse_bounding_capabilities(read_file("/proc/self/status"));
}

std::string missing_capabilities() {
    const auto effective = effective_capabilities();
    return effective ? missing_capabilities(*effective) : std::string();
}

bool lacks_sys_admin() {
    const auto effective = effective_capabilities();
    return effective && !has(*effective, CAP_SYS_ADMIN);
}

} // namespace ctflow::host
