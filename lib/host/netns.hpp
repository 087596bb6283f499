// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/error.hpp>

#include <cstdint>

namespace ctflow::host {

// The inode of the network namespace that the calling thread is in.
std::uint32_t current_netns(error_code& ec) noexcept;

} // namespace ctflow::host
