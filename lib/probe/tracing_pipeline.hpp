// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/object.hpp"
#include "probe/pipeline.hpp"
#include "transport/buffer.hpp"
#include "transport/ring_states.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace ctflow::detail {

// Of tracing programs, which tell of everything in rings.
class tracing_pipeline final : public pipeline {
public:
    tracing_pipeline(std::unique_ptr<bpf::object> programs, const config& c, error_code& ec,
                     diagnostics& diag);

    bpf::programs& programs() noexcept override { return *object_; }
    std::vector<transport::ring_source> rings() const override;
    transport::wakeups wakeups() const noexcept override;

private:
    const std::unique_ptr<bpf::object> object_;
    const transport::ring_states states_;
    const std::chrono::nanoseconds flush_interval_;
    std::unique_ptr<transport::buffer> updates_;
    std::unique_ptr<transport::buffer> destroys_;
};

} // namespace ctflow::detail
