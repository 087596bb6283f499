// SPDX-License-Identifier: Apache-2.0
#include "probe/fanout.hpp"

namespace ctflow::detail {
namespace {

void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

} // namespace

void fanout::on_events(event_kind kind, std::span<const event> batch) {
    refresh();
    add(kind == event_kind::update ? updates_ : destroys_, batch.size());
    for (const auto& each : consumers_) {
        if (each->wants(kind) && !each->closed()) {
            each->push(batch);
        }
    }
}

void fanout::on_malformed(std::uint64_t records) {
    add(malformed_, records);
}

void fanout::flush() {
    refresh();
    bool closed = false;
    for (const auto& each : consumers_) {
        each->flush();
        closed |= each->closed();
    }
    if (closed) {
        registry_.prune(); // Of those that their owners closed: their memory goes with us.
        refresh();
    }
}

void fanout::close() {
    registry_.close();
    refresh();
}

void fanout::refresh() {
    // The registry is locked only when it has changed.
    const auto now = registry_.generation();
    if (now != generation_) {
        consumers_ = registry_.list();
        generation_ = now;
    }
}

void fanout::read(probe_stats& stats) const noexcept {
    stats.perf_events_update = updates_.load(std::memory_order_relaxed);
    stats.perf_events_destroy = destroys_.load(std::memory_order_relaxed);
    stats.perf_events_total = stats.perf_events_update + stats.perf_events_destroy;
    stats.perf_bytes_total = stats.perf_events_total * event_length;
    stats.perf_records_malformed = malformed_.load(std::memory_order_relaxed);
}

} // namespace ctflow::detail
