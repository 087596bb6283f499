// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/event.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <sys/socket.h>

namespace ctflow::transport {

// Copies out of a ring, whose size is a power of two, and around its end where need be.
template <class T>
T load(std::span<const std::byte> data, std::uint64_t position) noexcept {
    T value;
    const auto offset = static_cast<std::size_t>(position & (data.size() - 1));
    const auto first = data.size() - offset;
    if (first >= sizeof(T)) [[likely]] { // Of a length that the compiler knows: no call.
        std::memcpy(&value, data.data() + offset, sizeof(T));
        return value;
    }
    auto* to = reinterpret_cast<std::byte*>(&value);
    std::memcpy(to, data.data() + offset, first);
    std::memcpy(to + first, data.data(), sizeof(T) - first);
    return value;
}

// conntrack knows no other families: what has one was read from the wrong place.
inline bool is_record(const ctflow_record& r, event_kind kind) noexcept {
    return r.kind == static_cast<unsigned char>(kind) &&
           (r.family == AF_INET || r.family == AF_INET6);
}

} // namespace ctflow::transport
