// SPDX-License-Identifier: Apache-2.0
#include "host/release.hpp"

#include <charconv>

#include <sys/utsname.h>

namespace ctflow::host {
namespace {

// Takes a number of at most 5 digits off the front.
bool take_number(std::string_view& text, unsigned& value) noexcept {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end - text.data() > 5) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

bool take_dot(std::string_view& text) noexcept {
    if (!text.starts_with('.')) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

} // namespace

std::optional<kernel_version> parse_release(std::string_view text) noexcept {
    kernel_version v;
    if (!take_number(text, v.major) || !take_dot(text) || !take_number(text, v.minor)) {
        return std::nullopt;
    }
    if (take_dot(text)) {
        if (!take_number(text, v.patch)) {
            v.patch = 0; // "5.4.el8": the rest is somebody's suffix.
        }
    }
    return v;
}

std::string running_release() {
    utsname name{};
    ::uname(&name); // Fails for a bad pointer only.
    return name.release;
}

} // namespace ctflow::host
