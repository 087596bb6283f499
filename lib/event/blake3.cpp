// SPDX-License-Identifier: Apache-2.0
#include "event/blake3.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

namespace ctflow {
namespace {

using words = std::array<std::uint32_t, 16>;

[[maybe_unused]] constexpr std::size_t block_length = 64;

constexpr std::array<std::uint32_t, 8> iv = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                             0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

// Which word of the message stands where in the next round (table 2 of the paper).
constexpr std::array<std::uint8_t, 16> permutation = {2, 6,  3,  10, 7, 0,  4,  13,
                                                      1, 11, 12, 5,  9, 14, 15, 8};

// The block is the first and last of its chunk, and the chunk is the root of the tree.
constexpr std::uint32_t flags = 1U | 2U | 8U;

void mix(words& v, std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint32_t x,
         std::uint32_t y) noexcept {
    v[a] += v[b] + x;
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = std::rotr(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 7);
}

void round(words& v, const words& m) noexcept {
    // Columns, then diagonals.
    mix(v, 0, 4, 8, 12, m[0], m[1]);
    mix(v, 1, 5, 9, 13, m[2], m[3]);
    mix(v, 2, 6, 10, 14, m[4], m[5]);
    mix(v, 3, 7, 11, 15, m[6], m[7]);
    mix(v, 0, 5, 10, 15, m[8], m[9]);
    mix(v, 1, 6, 11, 12, m[10], m[11]);
    mix(v, 2, 7, 8, 13, m[12], m[13]);
    mix(v, 3, 4, 9, 14, m[14], m[15]);
}

words permute(const words& m) noexcept {
    words out;
    std::ranges::transform(permutation, out.begin(), [&](std::uint8_t from) { return m[from]; });
    return out;
}

} // namespace

std::uint32_t blake3_first_word(std::span<const std::byte> message) noexcept {
    assert(message.size() <= block_length);

    words m{};
    for (std::size_t i = 0; i < message.size(); ++i) {
        m[i / 4] |= std::to_integer<std::uint32_t>(message[i]) << (8 * (i % 4));
    }
    // The chaining value is the IV; words 12 and 13 count the chunk, the first.
    words v{iv[0], iv[1], iv[2], iv[3], iv[4],
            iv[5], iv[6], iv[7], iv[0], iv[1],
            iv[2], iv[3], 0,     0,     static_cast<std::uint32_t>(message.size()),
            flags};

    for (int i = 0; i < 7; ++i) {
        round(v, m);
        m = permute(m);
    }
    return v[0] ^ v[8];
}

} // namespace ctflow
