// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event/trailer_pool.hpp"

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
    const int last_reason = kind == event_kind::destroy ? CTFLOW_END_EVICTED : CTFLOW_END_UNKNOWN;
    return r.kind == static_cast<unsigned char>(kind) && r.end_reason <= last_reason &&
           (r.family == AF_INET || r.family == AF_INET6);
}

// Gives an event what follows its record in the ring, of `length` bytes, padding included: the
// duration, or all of a trailer. Not inline: it is for few, and all pay for what a loop holds.
void set_rest(event& out, std::span<const std::byte> data, std::uint64_t position,
              std::uint64_t length, trailer_pool& trailers);

// Sets an event to a record and to what follows it.
inline void set_event(event& out, const ctflow_record& record, std::span<const std::byte> data,
                      std::uint64_t position, std::uint64_t length, trailer_pool& trailers) {
    out = event(record);
    if (length >= sizeof(ctflow_trailer::duration)) [[unlikely]] {
        set_rest(out, data, position, length, trailers);
    }
}

// Reads a record of a message of this length, and what follows it. False if it is none of the kind.
inline bool load_event(std::span<const std::byte> data, std::uint64_t position,
                       std::uint64_t length, event_kind kind, trailer_pool& trailers, event& out) {
    if (length < event_length) {
        return false;
    }
    const auto record = load<ctflow_record>(data, position);
    if (!is_record(record, kind)) {
        return false;
    }
    set_event(out, record, data, position + event_length, length - event_length, trailers);
    return true;
}

} // namespace ctflow::transport
