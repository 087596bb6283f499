// SPDX-License-Identifier: Apache-2.0
#include "probe/tracing_pipeline.hpp"

#include <utility>

namespace ctflow::detail {

tracing_pipeline::tracing_pipeline(std::unique_ptr<bpf::object> programs, const config& c,
                                   error_code& ec, diagnostics& diag)
    : object_(std::move(programs)) {
    updates_ = transport::open_buffer(c.transport, object_->updates_fd(), c.buffer_pages, ec, diag);
    if (!ec) {
        destroys_ =
            transport::open_buffer(c.transport, object_->destroys_fd(), c.buffer_pages, ec, diag);
    }
}

std::vector<transport::ring_source> tracing_pipeline::rings() const {
    std::vector<transport::ring_source> all;
    // Destroys first: they are rarer, and final.
    for (const auto& ring : destroys_->rings()) {
        all.push_back({event_kind::destroy, ring});
    }
    for (const auto& ring : updates_->rings()) {
        all.push_back({event_kind::update, ring});
    }
    return all;
}

} // namespace ctflow::detail
