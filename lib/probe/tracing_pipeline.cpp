// SPDX-License-Identifier: Apache-2.0
#include "probe/tracing_pipeline.hpp"

#include <utility>

namespace ctflow::detail {

tracing_pipeline::tracing_pipeline(std::unique_ptr<bpf::object> programs, const config& c,
                                   error_code& ec, diagnostics& diag)
    : object_(std::move(programs)), rings_({object_->updates_fd(), object_->destroys_fd(),
                                            object_->reserve_fd(), object_->ring_states_fd()},
                                           c, ec, diag) {}

} // namespace ctflow::detail
