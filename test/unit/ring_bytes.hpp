// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of both kinds of rings have in common.
#include "event/trailer_pool.hpp"

#include <ctflow/event.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace ctflow::test {

// A record in which each byte is another, so that none can be taken for its neighbour.
inline ctflow_record some_record(unsigned char seed, event_kind kind = event_kind::update) {
    std::array<unsigned char, sizeof(ctflow_record)> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<unsigned char>(seed + i);
    }
    ctflow_record record;
    std::memcpy(&record, bytes.data(), sizeof(record));
    record.kind = static_cast<unsigned char>(kind) & 0xf;
    record.end_reason = CTFLOW_END_UNKNOWN;
    record.family = seed % 2 == 0 ? 2 : 10; // AF_INET, AF_INET6
    return record;
}

// With what a plain end has, or with all there is.
inline ctflow_trailer some_trailer(unsigned char seed) {
    std::array<unsigned char, sizeof(ctflow_trailer)> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<unsigned char>(seed ^ i);
    }
    ctflow_trailer trailer;
    std::memcpy(&trailer, bytes.data(), sizeof(trailer));
    trailer.parts |= CTFLOW_TRAILER_STATUS;
    return trailer;
}

inline bool same(const event& e, const ctflow_record& record, const ctflow_trailer& trailer) {
    return std::memcmp(&e.record(), &record, sizeof(record)) == 0 && e.trailer() != nullptr &&
           std::memcmp(e.trailer(), &trailer, sizeof(trailer)) == 0;
}

inline bool same(const event& e, const ctflow_record& record) {
    return std::memcmp(&e.record(), &record, sizeof(record)) == 0;
}

// A ring as the kernel leaves it: memory of exactly its size, so that a sanitizer sees any step
// beside it, and what is written wraps around.
class ring_bytes {
public:
    explicit ring_bytes(std::size_t size, std::uint64_t start = 0)
        : tail(start), head(start), memory_(size, std::byte{0xcc}) {}

    template <class T>
    void put(T value) {
        std::array<std::byte, sizeof(T)> bytes;
        std::memcpy(bytes.data(), &value, sizeof(T));
        for (const auto b : bytes) {
            memory_[head++ % memory_.size()] = b;
        }
    }

    const std::vector<std::byte>& memory() const noexcept { return memory_; }

    mutable trailer_pool trailers;
    std::uint64_t tail;
    std::uint64_t head;

private:
    std::vector<std::byte> memory_;
};

} // namespace ctflow::test
