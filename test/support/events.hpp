// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/event.hpp>

#include <cstdint>
#include <vector>

#include <sys/socket.h>

namespace ctflow::test {

// An event that carries a number, in the place of the conntrack pointer.
inline event numbered(std::uint64_t number, event_kind kind = event_kind::update) {
    ctflow_record r{};
    r.conntrack = number;
    r.kind = static_cast<unsigned char>(kind) & 0xf;
    r.family = AF_INET;
    return event(r);
}

inline std::vector<event> numbered_from(std::uint64_t first, std::size_t count,
                                        event_kind kind = event_kind::update) {
    std::vector<event> events;
    events.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        events.push_back(numbered(first + i, kind));
    }
    return events;
}

} // namespace ctflow::test
