// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/load.hpp"
#include "bpf/programs.hpp"
#include "probe/fanout.hpp"
#include "probe/registry.hpp"
#include "transport/reader.hpp"
#include "transport/side_source.hpp"

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>
#include <ctflow/stats.hpp>

#include <memory>
#include <vector>

namespace ctflow::detail {

// From the kernel to the consumers: what the reader works on, which holds this as long as a run is
// outstanding, even if the probe is destroyed meanwhile.
class pipeline {
public:
    virtual ~pipeline() = default;
    pipeline(const pipeline&) = delete;
    pipeline& operator=(const pipeline&) = delete;

    virtual bpf::programs& programs() noexcept = 0;
    virtual std::vector<transport::ring_source> rings() const = 0;

    // Where the reader puts what it has read, and what else it reads, if anything.
    virtual transport::event_sink& entrance() noexcept { return sink; }
    virtual transport::side_source* side() noexcept { return nullptr; }

    // Rings that come and go, if they do.
    virtual transport::ring_changes* changes() noexcept { return nullptr; }

    // How it is told that there is something to read.
    virtual transport::wakeups wakeups() const noexcept { return {}; }

    // Attaches the programs. `again`: not for the first time.
    virtual void start(bool again, error_code& ec, diagnostics& diag);

    // Before the start, and from any thread after it: one at a time.
    virtual void set_filter(const filter& f, error_code& ec, diagnostics& diag);

    virtual void read(probe_stats& stats);

    registry consumers;
    fanout sink{consumers};

protected:
    pipeline() = default;
};

// The one for the programs that were loaded.
std::shared_ptr<pipeline> make_pipeline(bpf::loaded programs, const config& c, error_code& ec,
                                        diagnostics& diag);

} // namespace ctflow::detail
