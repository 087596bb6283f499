// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace ctflow::host {

struct kernel_version {
    unsigned major = 0;
    unsigned minor = 0;
    unsigned patch = 0;

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy takes the <=> apart and finds a 0.
    friend auto operator<=>(const kernel_version&, const kernel_version&) = default;
};

// Reads the version that a release such as "6.1.0-56-cloud-amd64" or "5.15-rc3" begins with.
// What follows it is the distribution's business.
std::optional<kernel_version> parse_release(std::string_view release) noexcept;

// The running kernel's, as uname -r prints it.
std::string running_release();

} // namespace ctflow::host
