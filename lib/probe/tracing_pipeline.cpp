// SPDX-License-Identifier: Apache-2.0
#include "probe/tracing_pipeline.hpp"

#include <utility>

namespace ctflow::detail {

tracing_pipeline::tracing_pipeline(std::unique_ptr<bpf::object> programs, const config& c,
                                   error_code& ec, diagnostics& diag)
    : object_(std::move(programs)), states_(object_->ring_states_fd(), 2, ec),
      flush_interval_(c.flush_interval) {
    const auto open = [&](int map_fd, std::size_t place) {
        return ec ? nullptr
                  : transport::open_buffer(c.transport, map_fd, c.buffer_pages, states_, place, ec,
                                           diag);
    };
    updates_ = open(object_->updates_fd(), 0); // PLACE_OF_UPDATES and so on in bpf/transport.h.
    destroys_ = open(object_->destroys_fd(), 1);
}

transport::wakeups tracing_pipeline::wakeups() const noexcept {
    return {states_.awake(), flush_interval_};
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
