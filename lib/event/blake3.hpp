// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ctflow {

// The first 32 bits of the BLAKE3 digest, little-endian, of at most 64 bytes.
//
// Debian has no BLAKE3 for C or C++. A message that fits one block needs a single compression and
// none of the tree: this is the algorithm of the BLAKE3 paper, section 2.1, for that case.
std::uint32_t blake3_first_word(std::span<const std::byte> message) noexcept;

} // namespace ctflow
