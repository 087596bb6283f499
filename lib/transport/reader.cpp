// SPDX-License-Identifier: Apache-2.0
#include "transport/reader.hpp"

#include "transport/complete.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

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

reader::reader(const asio::any_io_executor& executor, const std::vector<ring_source>& rings,
               std::shared_ptr<event_sink> sink)
    : strand_(executor), sink_(std::move(sink)) {
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
    for (auto& r : rings_) {
        error_code ec;
        r.resuming = false;
        r.watch = std::make_unique<descriptor>(strand_);
        r.watch->assign(r.source.ring.fd, ec);
        if (ec) {
            r.watch.reset();
            finish(run, ec);
            return;
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
    if (!r.resuming) {
        turn(run, r);
    }
}

void reader::turn(const run_pointer& run, watched_ring& r) {
    if (drain(r, budget) != remains::more) {
        return;
    }
    // The readiness is used up, and there is more: nobody but us knows.
    r.resuming = true;
    asio::post(strand_, [run, &r] {
        r.resuming = false;
        if (!run->done) {
            run->self->turn(run, r);
        }
    });
}

// Reads at most `limit` events or somewhat more.
reader::remains reader::drain(const watched_ring& r, std::size_t limit) {
    const auto& memory = r.source.ring.memory;
    // One look at the head: who follows a fast writer's head never comes back.
    const std::uint64_t head = memory.head();
    const std::uint64_t begin = memory.tail();
    std::uint64_t tail = begin;
    bool unfinished = false;
    for (std::size_t count = 0; tail != head && count < limit && !unfinished;) {
        const auto pass = memory.read(head, tail, r.source.kind, batch_);
        tail = pass.tail;
        memory.set_tail(tail); // The kernel has the room back before anyone looks at the events.
        if (pass.events != 0) {
            sink_->on_events(r.source.kind, {batch_.data(), pass.events});
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
    return unfinished ? remains::unfinished : tail != head ? remains::more : remains::nothing;
}

void reader::drain_all() {
    constexpr auto everything = std::numeric_limits<std::size_t>::max();
    // A record takes the kernel some nanoseconds to write. Should its CPU be kept from that for
    // long, what is behind stays for the next run.
    int patience = 1000;
    for (auto& r : rings_) {
        while (drain(r, everything) == remains::unfinished && patience-- > 0) {
            std::this_thread::yield();
        }
    }
}

void reader::stop(error_code ec) {
    const std::lock_guard lock(mutex_);
    if (const auto run = running_ ? run_.lock() : nullptr) {
        stopping_ = true;
        asio::post(strand_, [run, ec] {
            auto& self = *run->self;
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
    for (auto& r : rings_) {
        if (r.watch) {
            r.watch->release(); // libbpf's to close, not Asio's.
            r.watch.reset();
        }
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
