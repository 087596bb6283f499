// SPDX-License-Identifier: Apache-2.0
#include "probe/tracing_pipeline.hpp"

#include <utility>

namespace ctflow::detail {

tracing_pipeline::tracing_pipeline(std::unique_ptr<bpf::object> programs, const config& c,
                                   error_code& ec, diagnostics& diag)
    : events_(ec), object_(std::move(programs)),
      rings_({object_->updates_fd(), object_->destroys_fd(), object_->reserve_fd(),
              object_->ring_states_fd()},
             c, ec, diag) {}

void tracing_pipeline::start(bool again, error_code& ec, diagnostics& diag) {
    module_.begin(ec); // Before: should it go while we attach, it has gone.
    if (!ec) {
        pipeline::start(again, ec, diag);
    }
}

error_code tracing_pipeline::take(const replace& with) {
    const auto news = events_.take();
    if (news.dropped) {
        rings_.renew_all(with);
    } else {
        for (const auto cpu : news.online) {
            rings_.renew(cpu, with);
        }
    }
    // fentry holds the module, a kprobe does not, and is dead then.
    return module_.gone() ? make_error_code(errc::conntrack_unloaded) : error_code();
}

} // namespace ctflow::detail
