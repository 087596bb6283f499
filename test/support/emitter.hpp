// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/record_rings.hpp"

#include <ctflow/config.hpp>
#include <ctflow/event.hpp>
#include <ctflow/stats.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

struct ctflow_emit;

namespace ctflow::test {

// Writes numbered records into real perf buffers or a real ring buffer of the kernel, from the CPU
// that it pins the calling thread to, just as the probe's programs do. Needs root, but no right to
// trace.
class emitter {
public:
    // pages: of the ring buffers; perf buffers get their size when they are opened.
    emitter(transport_kind transport, std::size_t pages,
            std::size_t reserve_pages = config{}.reserve_pages);
    ~emitter();
    emitter(const emitter&) = delete;
    emitter& operator=(const emitter&) = delete;

    // Of its rings.
    transport::record_maps maps() const;

    // Sends the next n records, at most 1024, of updates unless told otherwise. Returns how many
    // were not lost.
    std::uint64_t emit(std::uint32_t n, event_kind kind = event_kind::update);

    // Whether what it sends from here on has a trailer: a master, of the record's number.
    void detail(bool yes) noexcept;

    // What it counts as the probe's programs do.
    probe_stats stats() const;

private:
    struct deleter {
        void operator()(ctflow_emit* s) const noexcept;
    };
    const transport_kind transport_;
    std::unique_ptr<ctflow_emit, deleter> skeleton_;
};

} // namespace ctflow::test
