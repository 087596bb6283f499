// SPDX-License-Identifier: Apache-2.0
#include "transport/record_rings.hpp"

namespace ctflow::transport {
namespace {

// As PLACE_OF_UPDATES and so on in bpf/transport.h.
enum place : std::size_t { updates, destroys, reserve, places };

} // namespace

record_rings::record_rings(const record_maps& maps, const config& c, error_code& ec,
                           diagnostics& diag)
    : states_(maps.ring_states, places, ec), flush_interval_(c.flush_interval),
      by_cpu_(c.transport == transport_kind::perf_buffer) {
    const auto open = [&](transport_kind kind, int map_fd, place p) {
        return ec ? nullptr : open_buffer(kind, map_fd, c.buffer_pages, states_, p, ec, diag);
    };
    updates_ = open(c.transport, maps.updates, updates);
    destroys_ = open(c.transport, maps.destroys, destroys);
    reserve_ = open(transport_kind::ring_buffer, maps.reserve, reserve);
}

std::vector<ring_source> record_rings::sources() const {
    std::vector<ring_source> all;
    const auto add = [&](event_kind kind, const buffer& b, bool spare = false) {
        for (const auto& each : b.rings()) {
            all.push_back({kind, each, spare});
        }
    };
    // Destroys first: they are rarer, and final.
    add(event_kind::destroy, *destroys_);
    add(event_kind::destroy, *reserve_, true);
    add(event_kind::update, *updates_);
    return all;
}

void record_rings::renew_all(const ring_changes::replace& with) {
    for (std::size_t cpu = 0; cpu < states_.cpus(); ++cpu) {
        renew(cpu, with);
    }
}

// It fails for a CPU that is gone again, or if a process that has given up its capabilities, or is
// at a limit, may open no ring any more: then the CPU's updates are counted as lost for want of one
// until it comes online the next time, and its destroys are kept in reserve.
void record_rings::renew(std::size_t cpu, const ring_changes::replace& with) {
    if (!by_cpu_ || cpu >= states_.cpus()) {
        return;
    }
    const auto put = [&](std::size_t at) {
        return [&with, at](const ring& fresh) {
            with(at, fresh);
        };
    };
    (void)destroys_->renew(cpu, put(cpu));
    (void)updates_->renew(cpu, put(destroys_->rings().size() + reserve_->rings().size() + cpu));
}

} // namespace ctflow::transport
