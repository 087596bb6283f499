// SPDX-License-Identifier: Apache-2.0
#include "transport/reader.hpp"

#include "transport/complete.hpp"
#include "transport/reader_run.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace ctflow::transport {

namespace asio = boost::asio;

reader::reader(const asio::any_io_executor& executor, const std::vector<ring_source>& rings,
               std::shared_ptr<event_sink> sink, side_source* side, const wakeups& told,
               ring_changes* changes)
    : strand_(executor), sink_(std::move(sink)), side_(side), changes_(changes),
      awake_word_(told.awake),
      pace_(told.awake != nullptr ? told.interval : std::chrono::nanoseconds(0),
            room_of_least(rings)) {
    rings_.reserve(rings.size());
    for (const auto& each : rings) {
        rings_.push_back({each, nullptr});
    }
}

bool reader::run(detail::run_handler&& handler) {
    run_pointer run;
    {
        const std::lock_guard lock(mutex_);
        if (running_) {
            return false;
        }
        run = std::make_shared<run_state>(shared_from_this(), std::move(handler));
        running_ = true;
        run_ = run;
    }
    auto slot = asio::get_associated_cancellation_slot(run->handler);
    if (slot.is_connected()) {
        slot.assign([weak = std::weak_ptr(run)](asio::cancellation_type type) {
            auto cancelled = weak.lock();
            if (cancelled && type != asio::cancellation_type::none) {
                auto strand = cancelled->self->strand_;
                asio::post(strand, [cancelled = std::move(cancelled)] {
                    cancelled->self->finish(cancelled, asio::error::operation_aborted);
                });
            }
        });
    }
    asio::post(strand_, [run] { run->self->begin(run); });
    return true;
}

void reader::begin(const run_pointer& run) {
    if (run->done) {
        return;
    }
    error_code ec;
    timer_ = std::make_unique<timer>(strand_);
    for (auto& r : rings_) {
        watch(r, ec);
    }
    if (side_ != nullptr && !ec) {
        side_watch_ = watch(side_->fd(), ec);
    }
    if (changes_ != nullptr && changes_->fd() >= 0 && !ec) {
        changes_watch_ = watch(changes_->fd(), ec);
    }
    if (ec) {
        finish(run, ec);
        return;
    }
    begin_side(run);
    for (auto& r : rings_) {
        arm(run, r);
    }
    begin_changes(run);
    if (run->done) {
        return; // Nothing will come: it has read what was there.
    }
    // What lies there already has woken nobody, and will not.
    for (auto& r : rings_) {
        turn(run, r);
    }
}

// The context is destroyed under a run.
void reader::forsake() noexcept {
    unwatch();
    bool stopping = false;
    {
        const std::lock_guard lock(mutex_);
        running_ = false;
        stopping = std::exchange(stopping_, false);
    }
    if (stopping) {
        sink_->close(); // What stop() has posted went with the context.
    }
}

void reader::drain_all() {
    drain_rings();
    // Others' flows may go on ending: who empties it may never come to an end.
    for (int patience = 1000; side_ != nullptr && patience > 0 && !drain_side(); --patience) {
    }
}

void reader::stop(error_code ec) {
    const std::lock_guard lock(mutex_);
    if (const auto run = running_ ? run_.lock() : nullptr) {
        stopping_ = true;
        asio::post(strand_, [run, ec] {
            auto& self = *run->self;
            self.unwatch(); // Before the sink closes what is watched.
            self.drain_all();
            self.sink_->close();
            self.finish(run, ec, true);
        });
        return;
    }
    drain_all();
    sink_->close();
}

bool reader::stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

void reader::release(std::unique_ptr<descriptor>& watched) noexcept {
    if (watched) {
        watched->release(); // Its owner's to close, not Asio's.
        watched.reset();
    }
}

void reader::unwatch() noexcept {
    for (auto& r : rings_) {
        release(r.watch);
    }
    release(side_watch_);
    release(changes_watch_);
    side_timer_.reset();
    timer_.reset();
    if (std::exchange(awake_, false)) {
        say_awake(false); // What comes until the next run wakes it.
    }
}

void reader::finish(const run_pointer& run, error_code ec, bool stopped) {
    const bool ends = !std::exchange(run->done, true);
    if (ends) {
        unwatch();
    }
    {
        const std::lock_guard lock(mutex_);
        running_ = running_ && !ends;
        stopping_ = stopping_ && !stopped;
    }
    if (ends) {
        complete(strand_.get_inner_executor(), std::move(run->handler), ec);
    }
}

} // namespace ctflow::transport
