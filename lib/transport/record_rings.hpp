// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/buffer.hpp"
#include "transport/reader.hpp"
#include "transport/ring_changes.hpp"
#include "transport/ring_states.hpp"

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace ctflow::transport {

// The maps through which BPF programs send records (bpf/transport.h).
struct record_maps {
    int updates;
    int destroys;
    int reserve;
    int ring_states;
};

// All rings behind these maps: of updates and of destroys, each in rings for every CPU or in one
// for all; and the ring of destroys that found no room there.
class record_rings {
public:
    record_rings(const record_maps& maps, const config& c, error_code& ec, diagnostics& diag);

    // For each CPU that there can be, if it has a ring for itself, whether it is online or not.
    std::vector<ring_source> sources() const;

    // How the reader is told of records.
    wakeups told() const noexcept { return {states_.awake(), flush_interval_}; }

    // Opens the rings of a CPU that has come online, if it has any for itself.
    void renew(std::size_t cpu, const ring_changes::replace& with);
    void renew_all(const ring_changes::replace& with);

private:
    const ring_states states_;
    const std::chrono::nanoseconds flush_interval_;
    const bool by_cpu_;
    std::unique_ptr<buffer> destroys_;
    std::unique_ptr<buffer> reserve_;
    std::unique_ptr<buffer> updates_;
};

} // namespace ctflow::transport
