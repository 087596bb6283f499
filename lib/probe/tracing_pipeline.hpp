// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/object.hpp"
#include "probe/pipeline.hpp"
#include "transport/buffer.hpp"

namespace ctflow::detail {

// Of tracing programs, which tell of everything in rings.
class tracing_pipeline final : public pipeline {
public:
    tracing_pipeline(std::unique_ptr<bpf::object> programs, const config& c, error_code& ec,
                     diagnostics& diag);

    bpf::programs& programs() noexcept override { return *object_; }
    std::vector<transport::ring_source> rings() const override;

private:
    // Before the rings: libbpf takes them out of their maps when it frees them, by descriptor.
    const std::unique_ptr<bpf::object> object_;
    std::unique_ptr<transport::buffer> updates_;
    std::unique_ptr<transport::buffer> destroys_;
};

} // namespace ctflow::detail
