// SPDX-License-Identifier: Apache-2.0
#include "transport/reader_run.hpp"

#include <boost/asio/post.hpp>

// What a reader reads besides the rings.
namespace ctflow::transport {

namespace asio = boost::asio;

void reader::begin_side(const run_pointer& run) {
    if (side_ == nullptr) {
        return;
    }
    side_resuming_ = false;
    arm_side(run);
    if (side_->interval().count() != 0) {
        side_timer_ = std::make_unique<timer>(strand_);
        tick_side(run);
    }
}

void reader::arm_side(const run_pointer& run) {
    side_watch_->async_wait(descriptor::wait_read, [run](error_code ec) {
        if (!run->done) {
            run->self->on_side_readable(run, ec);
        }
    });
}

void reader::on_side_readable(const run_pointer& run, error_code ec) {
    if (ec) {
        finish(run, ec);
        return;
    }
    arm_side(run);
    if (!side_resuming_) {
        turn_side(run);
    }
}

void reader::turn_side(const run_pointer& run) {
    if (drain_side()) {
        return;
    }
    side_resuming_ = true; // As in turn().
    asio::post(strand_, [run] {
        run->self->side_resuming_ = false;
        if (!run->done) {
            run->self->turn_side(run);
        }
    });
}

// Waits for the next tick.
void reader::tick_side(const run_pointer& run) {
    side_timer_->expires_after(side_->interval());
    side_timer_->async_wait([run](error_code) {
        if (run->done) {
            return;
        }
        auto& self = *run->self;
        self.side_->tick();
        if (!self.side_resuming_) {
            self.turn_side(run);
        }
        self.tick_side(run);
    });
}

// False if there may be more.
bool reader::drain_side() {
    const bool all = side_->take();
    drain_rings();
    return side_->tell() && all;
}

} // namespace ctflow::transport
