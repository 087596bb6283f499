// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ctflow {

// The names of the protocols that conntrack knows. Not the host's /etc/protocols: what is written
// with them means the same everywhere. Empty for others.
std::string_view protocol_name(std::uint8_t number) noexcept;

std::optional<std::uint8_t> protocol_number(std::string_view name) noexcept;

} // namespace ctflow
