// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/object.hpp"
#include "host/kernel_events.hpp"
#include "host/module_watch.hpp"
#include "probe/pipeline.hpp"
#include "transport/record_rings.hpp"

#include <memory>
#include <vector>

namespace ctflow::detail {

// Of tracing programs, which tell of everything in rings.
class tracing_pipeline final : public pipeline, private transport::ring_changes {
public:
    tracing_pipeline(std::unique_ptr<bpf::object> programs, const config& c, error_code& ec,
                     diagnostics& diag);

    bpf::programs& programs() noexcept override { return *object_; }
    std::vector<transport::ring_source> rings() const override { return rings_.sources(); }
    transport::wakeups wakeups() const noexcept override { return rings_.told(); }
    transport::ring_changes* changes() noexcept override { return this; }
    void start(bool again, error_code& ec, diagnostics& diag) override;

private:
    int fd() const noexcept override { return events_.fd(); }
    error_code take(const replace& with) override;

    host::kernel_events events_; // Listens before rings are opened, so that no CPU is missed.
    host::module_watch module_{"nf_conntrack"};
    const std::unique_ptr<bpf::object> object_;
    transport::record_rings rings_;
};

} // namespace ctflow::detail
