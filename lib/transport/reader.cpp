// SPDX-License-Identifier: Apache-2.0
#include "transport/reader.hpp"

#include "transport/complete.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>
#include <utility>

namespace ctflow::transport {

namespace asio = boost::asio;

// Owned by the waits and posted functions of a run, not by the reader: if the execution context
// is destroyed under it, it goes with them, and the handler with it.
struct reader::run_state {
    using executor = asio::associated_executor_t<detail::run_handler, asio::any_io_executor>;

    run_state(std::shared_ptr<reader> s, detail::run_handler h)
        : self(std::move(s)), handler(std::move(h)),
          work(asio::get_associated_executor(handler, self->strand_.get_inner_executor())) {}

    ~run_state() {
        if (done) {
            return;
        }
        self->unwatch();
        bool stopping = false;
        {
            const std::lock_guard lock(self->mutex_);
            self->running_ = false;
            stopping = std::exchange(self->stopping_, false);
        }
        if (stopping) {
            self->sink_->close(); // What stop() has posted went with the context.
        }
    }

    std::shared_ptr<reader> self;
    detail::run_handler handler;
    asio::executor_work_guard<executor> work;
    bool done = false;
};

// How many events the smallest of the rings can hold.
std::size_t reader::room_of_least(const std::vector<ring_source>& rings) noexcept {
    auto size = std::numeric_limits<std::size_t>::max();
    for (const auto& each : rings) {
        size = std::min(size, each.ring.memory.size());
    }
    return size / (event_length + 16); // With the header of a perf record, or less.
}

reader::reader(const asio::any_io_executor& executor, const std::vector<ring_source>& rings,
               std::shared_ptr<event_sink> sink, side_source* side, const wakeups& told)
    : strand_(executor), sink_(std::move(sink)), side_(side), awake_word_(told.awake),
      pace_(told.awake != nullptr ? told.interval : std::chrono::nanoseconds(0),
            room_of_least(rings)) {
    rings_.reserve(rings.size());
    for (const auto& each : rings) {
        rings_.push_back({each, nullptr, false});
    }
}

void reader::run(detail::run_handler handler) {
    const auto run = std::make_shared<run_state>(shared_from_this(), std::move(handler));
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(running_, true)) {
            run->done = true; // Never begun.
        } else {
            run_ = run;
        }
    }
    if (run->done) {
        complete(strand_.get_inner_executor(), std::move(run->handler), errc::already_running);
        return;
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
}

void reader::begin(const run_pointer& run) {
    if (run->done) {
        return;
    }
    error_code ec;
    timer_ = std::make_unique<timer>(strand_);
    for (auto& r : rings_) {
        r.resuming = false;
        r.watch = watch(r.source.ring.fd, ec);
        if (ec) {
            finish(run, ec);
            return;
        }
    }
    if (side_ != nullptr) {
        side_resuming_ = false;
        side_watch_ = watch(side_->fd(), ec);
        if (ec) {
            finish(run, ec);
            return;
        }
        arm_side(run);
        if (side_->interval().count() != 0) {
            side_timer_ = std::make_unique<timer>(strand_);
            tick_side(run);
        }
    }
    for (auto& r : rings_) {
        arm(run, r);
    }
    // What lies there already has woken nobody, and will not.
    for (auto& r : rings_) {
        turn(run, r);
    }
}

std::unique_ptr<reader::descriptor> reader::watch(int fd, error_code& ec) {
    auto watched = std::make_unique<descriptor>(strand_);
    watched->assign(fd, ec);
    return ec ? nullptr : std::move(watched);
}

void reader::arm(const run_pointer& run, watched_ring& r) {
    r.watch->async_wait(descriptor::wait_read, [run, &r](error_code ec) {
        if (!run->done) {
            run->self->on_readable(run, r, ec);
        }
    });
}

void reader::on_readable(const run_pointer& run, watched_ring& r, error_code ec) {
    if (ec) {
        finish(run, ec);
        return;
    }
    arm(run, r); // First this, then the drain; see the head of the class.
    if (r.resuming) {
        return;
    }
    const auto events = turn(run, r);
    if (pace_.interval().count() != 0 && !awake_ && pace_.fast(events, clock::now())) {
        awake_ = true;
        say_awake(true);
        stay_awake(run, pace_.rest(events));
    }
}

// Returns how many events there were.
std::size_t reader::turn(const run_pointer& run, watched_ring& r) {
    const auto found = drain(r, budget);
    if (found.left == remains::more) {
        // The readiness is used up, and there is more: nobody but us knows.
        r.resuming = true;
        asio::post(strand_, [run, &r] {
            r.resuming = false;
            if (!run->done) {
                run->self->turn(run, r);
            }
        });
    }
    return found.events;
}

void reader::stay_awake(const run_pointer& run, std::chrono::nanoseconds rest) {
    timer_->expires_after(rest);
    timer_->async_wait([run](error_code) {
        if (!run->done) {
            run->self->on_tick(run);
        }
    });
}

void reader::on_tick(const run_pointer& run) {
    std::size_t events = 0;
    std::size_t most = 0; // In one ring.
    for (auto& r : rings_) {
        const auto found = r.resuming ? budget : turn(run, r);
        events += found;
        most = std::max(most, found);
    }
    if (pace_.fast(events, clock::now()) || !fall_asleep()) {
        stay_awake(run, pace_.rest(most));
    }
}

// False if there is, or may be at any moment, a record that woke nobody.
bool reader::fall_asleep() noexcept {
    const auto idle = [](ctflow_ring_state& state) {
        return std::atomic_ref(state.word).load() == 0;
    };
    const auto quiet = [&](const watched_ring& r) {
        const auto& ring = r.source.ring;
        return !r.resuming && std::ranges::all_of(ring.states, idle) &&
               ring.memory.head() == ring.memory.tail();
    };
    say_awake(false);
    awake_ = !std::ranges::all_of(rings_, quiet);
    if (awake_) {
        say_awake(true);
    }
    return !awake_;
}

void reader::say_awake(bool awake) noexcept {
    // An exchange, which is a barrier on every machine: what we look at next is read after it.
    std::atomic_ref(*awake_word_).exchange(awake ? 1 : 0);
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
    side_->tell();
    return all;
}

// Reads at most `limit` events or somewhat more.
reader::drained reader::drain(const watched_ring& r, std::size_t limit) {
    const auto& memory = r.source.ring.memory;
    // One look at the head: who follows a fast writer's head never comes back.
    const std::uint64_t head = memory.head();
    const std::uint64_t begin = memory.tail();
    std::uint64_t tail = begin;
    std::size_t count = 0;
    bool unfinished = false;
    while (tail != head && count < limit && !unfinished) {
        const auto pass = memory.read(head, tail, r.source.kind, batch_, tags_);
        const std::span read(batch_.data(), pass.events);
        tail = pass.tail;
        memory.set_tail(tail); // The kernel has the room back before anyone looks at the events.
        if (!read.empty() && memory.tagged()) {
            sink_->on_tagged(read, {tags_.data(), read.size()});
        } else if (!read.empty()) {
            sink_->on_events(r.source.kind, read);
        }
        if (pass.malformed != 0) {
            sink_->on_malformed(pass.malformed);
        }
        count += pass.events;
        unfinished = pass.unfinished;
    }
    if (tail != begin) {
        sink_->flush();
    }
    return {count, unfinished     ? remains::unfinished
                   : tail != head ? remains::more
                                  : remains::nothing};
}

void reader::drain_rings() {
    constexpr auto everything = std::numeric_limits<std::size_t>::max();
    // A record takes the kernel some nanoseconds to write. Should its CPU be kept from that for
    // long, what is behind stays for the next run.
    int patience = 1000;
    for (auto& r : rings_) {
        while (drain(r, everything).left == remains::unfinished && patience-- > 0) {
            std::this_thread::yield();
        }
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
            {
                const std::lock_guard stopped(self.mutex_);
                self.stopping_ = false;
            }
            self.finish(run, ec);
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

void reader::unwatch() noexcept {
    const auto release = [](std::unique_ptr<descriptor>& watched) {
        if (watched) {
            watched->release(); // Its owner's to close, not Asio's.
            watched.reset();
        }
    };
    for (auto& r : rings_) {
        release(r.watch);
    }
    release(side_watch_);
    side_timer_.reset();
    timer_.reset();
    if (std::exchange(awake_, false)) {
        say_awake(false); // What comes until the next run wakes it.
    }
}

void reader::finish(const run_pointer& run, error_code ec) {
    if (std::exchange(run->done, true)) {
        return;
    }
    unwatch();
    {
        const std::lock_guard lock(mutex_);
        running_ = false;
    }
    complete(strand_.get_inner_executor(), std::move(run->handler), ec);
}

} // namespace ctflow::transport
