// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/object.hpp"
#include "probe/pipeline.hpp"
#include "transport/record_rings.hpp"

#include <memory>
#include <vector>

namespace ctflow::detail {

// Of tracing programs, which tell of everything in rings.
class tracing_pipeline final : public pipeline {
public:
    tracing_pipeline(std::unique_ptr<bpf::object> programs, const config& c, error_code& ec,
                     diagnostics& diag);

    bpf::programs& programs() noexcept override { return *object_; }
    std::vector<transport::ring_source> rings() const override { return rings_.sources(); }
    transport::wakeups wakeups() const noexcept override { return rings_.told(); }
    transport::ring_changes* changes() noexcept override { return &rings_; }

private:
    const std::unique_ptr<bpf::object> object_;
    transport::record_rings rings_;
};

} // namespace ctflow::detail
