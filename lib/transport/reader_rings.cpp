// SPDX-License-Identifier: Apache-2.0
#include "transport/reader_run.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <limits>
#include <new>
#include <thread>
#include <utility>

#include <poll.h>

// How a reader reads the rings: when it looks at them, and how much it takes.
namespace ctflow::transport {

namespace asio = boost::asio;

namespace {
constexpr auto everything = std::numeric_limits<std::size_t>::max();
}

// How many events the smallest of the rings can hold.
std::size_t reader::room_of_least(const std::vector<ring_source>& rings) noexcept {
    auto size = std::numeric_limits<std::size_t>::max();
    for (const auto& each : rings) {
        if (each.ring.fd >= 0 && !each.spare) {
            size = std::min(size, each.ring.memory.size());
        }
    }
    return size / (event_length + 16); // With the header of a perf record, or less.
}

std::unique_ptr<reader::descriptor> reader::watch(int fd, error_code& ec) {
    auto watched = std::make_unique<descriptor>(strand_);
    watched->assign(fd, ec);
    return ec ? nullptr : std::move(watched);
}

void reader::watch(watched_ring& r, error_code& ec) {
    r.resuming = false;
    if (r.source.ring.fd >= 0 && !ec) {
        r.watch = watch(r.source.ring.fd, ec);
    }
}

void reader::arm(const run_pointer& run, watched_ring& r) {
    if (!r.watch) {
        return;
    }
    r.watch->async_wait(descriptor::wait_read, [run, &r, of = r.generation](error_code ec) {
        // Released: replaced, or hung up.
        if (!run->done && of == r.generation && ec != asio::error::operation_aborted) {
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
    auto events = turn(run, r);
    if (events == 0 && !run->done) {
        events = look_why(run, r);
    }
    if (run->done) {
        return;
    }
    if (pace_.interval().count() != 0 && !awake_ && pace_.fast(events, clock::now())) {
        awake_ = true;
        say_awake(true);
        stay_awake(run, pace_.rest(events));
    }
}

// It said that it was readable, and there was nothing to read. What was there may have been read
// before it was its turn. Or the kernel has hung up, and would say so for ever: then we do not ask
// again. Returns how many events there were.
std::size_t reader::look_why(const run_pointer& run, watched_ring& r) {
    pollfd one{r.source.ring.fd, POLLIN, 0};
    if (::poll(&one, 1, 0) <= 0) {
        return 0;
    }
    const auto events = turn(run, r); // To ask has used up the readiness of what is there now.
    if ((one.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
        release(r.watch);
        if (std::ranges::none_of(rings_, [](const auto& each) { return each.watch != nullptr; })) {
            finish(run, asio::error::eof); // There will never be anything.
        }
    }
    return events;
}

// Returns how many events there were. Without memory for what one has behind its record the run
// ends, and the event stays where it is.
std::size_t reader::turn(const run_pointer& run, watched_ring& r) {
    drained found{};
    try {
        found = drain(r, budget);
    } catch (const std::bad_alloc&) {
        finish(run, boost::system::errc::make_error_code(boost::system::errc::not_enough_memory));
        return 0;
    }
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
        if (run->done) {
            return;
        }
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
        const auto pass = memory.read(head, tail, r.source.kind, trailers_, batch_, tags_);
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
    // A record takes the kernel some nanoseconds to write. Should its CPU be kept from that for
    // long, what is behind stays for the next run.
    int patience = 1000;
    for (const auto& r : rings_) {
        while (drain(r, everything).left == remains::unfinished && patience-- > 0) {
            std::this_thread::yield();
        }
    }
}

void reader::begin_changes(const run_pointer& run) {
    if (changes_watch_) {
        arm_changes(run);
    }
    if (changes_ != nullptr) {
        take_changes(run); // Those since the last run.
    }
}

void reader::arm_changes(const run_pointer& run) {
    changes_watch_->async_wait(descriptor::wait_read, [run](error_code ec) {
        if (run->done) {
            return;
        }
        if (ec) {
            run->self->finish(run, ec);
            return;
        }
        run->self->arm_changes(run);
        run->self->take_changes(run);
    });
}

void reader::take_changes(const run_pointer& run) {
    error_code failed;
    const auto dead = changes_->take([&](std::size_t place, const ring& fresh) {
        auto& r = rings_[place];
        release(r.watch);
        ++r.generation;
        // First: whatever fails below, nobody reads the one that is about to go.
        const watched_ring before{{r.source.kind, std::exchange(r.source.ring, fresh)}, nullptr};
        drain(before, everything);
        watch(r, failed);
        if (failed) {
            return; // The next run will watch it.
        }
        arm(run, r);
        turn(run, r);
    });
    if (failed || dead) {
        drain_rings(); // What was sent until then.
        finish(run, failed ? failed : dead);
    }
}

} // namespace ctflow::transport
