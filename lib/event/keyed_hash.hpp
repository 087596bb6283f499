// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace ctflow {

// Both halves of a product, which mixes each bit into many.
inline std::uint64_t folded(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// For tables of flows: tuples are chosen by whoever sends packets, which of them collide must not
// be.
template <std::size_t N>
requires(N % 2 == 1) std::uint64_t
    keyed_hash(const std::array<std::uint64_t, N>& words, std::uint64_t seed)
noexcept {
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15; // 2^64 over the golden ratio.
    std::uint64_t key = seed;
    std::uint64_t h = seed;
    for (std::size_t i = 0; i + 1 < N; i += 2) {
        key = std::rotl(key, 24);
        h = folded(words[i] ^ h, words[i + 1] ^ odd ^ key);
    }
    return folded(words[N - 1] ^ h, odd ^ std::rotl(key, 24));
}

// What to key it with: another for each table.
std::uint64_t random_seed();

} // namespace ctflow
