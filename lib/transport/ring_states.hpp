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

// The map of these words (bpf/perf_output.h), for some perf event arrays.
class ring_states {
public:
    ring_states() = default;
    ring_states(int map_fd, std::size_t arrays, error_code& ec);
    ~ring_states();
    ring_states(const ring_states&) = delete;
    ring_states& operator=(const ring_states&) = delete;

    // How many CPUs there can be.
    std::size_t cpus() const noexcept { return cpus_; }

    // Not zero while a record is being written into a ring of an array.
    shared_word* under_way(std::size_t array, std::size_t cpu) const noexcept {
        return &states_[array * cpus_ + cpu].word;
    }

    // Not zero while the reader looks at the rings by itself. Null if there is no map.
    shared_word* awake() const noexcept { return states_.empty() ? nullptr : &states_.back().word; }

private:
    std::span<ctflow_ring_state> states_;
    std::size_t cpus_ = 0;
};

} // namespace ctflow::transport
