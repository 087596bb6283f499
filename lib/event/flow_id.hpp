// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/trailer.h>

#include <cstdint>

namespace ctflow {

// See event::flow_id().
std::uint32_t flow_id_of(const ctflow_ends& ends, std::uint8_t family, std::uint8_t proto,
                         std::uint64_t conntrack) noexcept;

} // namespace ctflow
