// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ctflow::kernel_cost {

// Nanoseconds; in a machine that counts instructions, instructions.
std::int64_t now() noexcept;

// Whether now() counts instructions, as under scripts/vm --icount.
bool counts_instructions() noexcept;

} // namespace ctflow::kernel_cost
