// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/error.hpp>
#include <ctflow/sysctl.hpp>

#include <filesystem>
#include <string_view>
#include <vector>

namespace ctflow::host {

// Sets a sysctl below root ("/proc/sys") and notes the change, unless it has that value already.
void set_sysctl(const std::filesystem::path& root, std::string_view name, std::string_view value,
                std::vector<sysctl_change>& changes, error_code& ec, diagnostics& diag);

} // namespace ctflow::host
