// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ring_state.h"

#include <ctflow/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ctflow::transport {

// A word of the memory that the reader and the CPUs which fill the rings share: see
// bpf/ring_state.h, which says why all this is sequentially consistent.
using shared_word = unsigned long long;

// The map of these words (bpf/output.h), for some maps of rings.
class ring_states {
public:
    ring_states(int map_fd, std::size_t maps, error_code& ec);
    ~ring_states();
    ring_states(const ring_states&) = delete;
    ring_states& operator=(const ring_states&) = delete;

    // How many CPUs there can be.
    std::size_t cpus() const noexcept { return cpus_; }

    // A CPU's word is not zero while it writes a record into a ring of the map at that place.
    std::span<ctflow_ring_state> of(std::size_t place) const noexcept {
        return states_.subspan(place * cpus_, cpus_);
    }
    std::span<ctflow_ring_state> of(std::size_t place, std::size_t cpu) const noexcept {
        return of(place).subspan(cpu, 1);
    }

    // Not zero while the reader looks at the rings by itself. Null if it could not be mapped.
    shared_word* awake() const noexcept { return states_.empty() ? nullptr : &states_.back().word; }

private:
    std::span<ctflow_ring_state> states_;
    std::size_t cpus_ = 0;
};

} // namespace ctflow::transport
