// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/buffer.hpp"
#include "transport/event_sink.hpp"
#include "transport/pace.hpp"
#include "transport/record_tag.hpp"
#include "transport/ring_changes.hpp"
#include "transport/side_source.hpp"

#include <ctflow/detail/run_handler.hpp>
#include <ctflow/error.hpp>
#include <ctflow/event.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/strand.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace ctflow::transport {

// A ring to read, and what it carries. It may yet have to come (ring_changes).
struct ring_source {
    event_kind kind;
    transport::ring ring;
    bool spare = false; // Holds what found no room in others: not what the reader is fast for.
};

// How a reader is told of records: as long as they come one at a time, by a wake-up for each; when
// they come fast it says so, in `awake`, and looks by itself at these intervals. Without the word,
// or with an interval of zero, always by wake-ups.
struct wakeups {
    shared_word* awake = nullptr;
    std::chrono::nanoseconds interval{};
};

// Reads rings in a reactor while a run is outstanding.
//
// Readiness of a perf descriptor is no state but an event, and asking consumes it (perf_poll() in
// the kernel's kernel/events/core.c). So the next wait is armed first and the ring drained then:
// what arrives before the drain is drained, what arrives after it wakes the wait. In the other
// order a record that lands in between lies there until the next one comes; and into a full ring
// none comes.
//
// It is right for a BPF ring buffer too. The kernel wakes for a record only if all before it have
// been read when it is there (bpf_ringbuf_commit() in kernel/bpf/ringbuf.c looks at consumer_pos),
// so that one which lands while we drain may wake nobody. But to ask, here, consumes nothing, and
// tells of all that is unread (ringbuf_map_poll()). Arming (EPOLL_CTL_MOD) asks: with something
// there to drain the descriptor is on epoll's list of the ready. epoll_wait() asks once more
// (ep_send_events() in fs/eventpoll.c) before it takes it off: either something is unread, then we
// are told, and arm again; or we had caught up, and the next record wakes. A record that is not
// finished when we come to it is unread, too.
//
// While we say that we are awake no record wakes us (bpf/ring_state.h). So before we sleep we take
// that back, and look once more at each ring and whether a record for it is under way.
//
// run() and stop() may be called from any thread. The reading goes on in a strand.
class reader : public std::enable_shared_from_this<reader> {
public:
    // How many events of one ring are read before other handlers have their turn.
    static constexpr std::size_t budget = 4096;

    // `side` and `changes`, if not null, live as long as the sink.
    reader(const boost::asio::any_io_executor& executor, const std::vector<ring_source>& rings,
           std::shared_ptr<event_sink> sink, side_source* side = nullptr, const wakeups& told = {},
           ring_changes* changes = nullptr);

    // Reads until stop(), cancellation, or the first failure. @return whether it will: beside
    // another run it does not, and the handler is the caller's still.
    bool run(detail::run_handler&& handler);

    // Reads what is there, closes the sink, and completes an outstanding run with ec. If there is
    // a run this happens in the strand, later, and stopping() says so; else here and now.
    void stop(error_code ec);
    bool stopping() const;

private:
    using executor_type = boost::asio::strand<boost::asio::any_io_executor>;
    using descriptor = boost::asio::posix::basic_stream_descriptor<executor_type>;
    using clock = std::chrono::steady_clock;
    using timer =
        boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, executor_type>;
    struct run_state;
    using run_pointer = std::shared_ptr<run_state>;

    struct watched_ring {
        ring_source source;
        std::unique_ptr<descriptor> watch; // Only while a run is outstanding.
        bool resuming = false;             // A drain that stopped early will go on by itself.
        unsigned generation = 0;           // Of its source: waits of one before are of no interest.
    };

    // What a drain leaves in the ring.
    enum class remains {
        nothing,
        more,       // Than it was to read.
        unfinished, // A record that the kernel is still writing, and those behind it.
    };
    struct drained {
        std::size_t events;
        remains left;
    };

    static std::size_t room_of_least(const std::vector<ring_source>& rings) noexcept;

    // reader.cpp: runs begin and end.
    void begin(const run_pointer& run);
    void forsake() noexcept;
    void drain_all();
    static void release(std::unique_ptr<descriptor>& watched) noexcept;
    void unwatch() noexcept;
    void finish(const run_pointer& run, error_code ec, bool stopped = false);

    // reader_rings.cpp: when it looks at the rings, and how much it takes.
    std::unique_ptr<descriptor> watch(int fd, error_code& ec);
    void watch(watched_ring& r, error_code& ec);
    void arm(const run_pointer& run, watched_ring& r);
    void on_readable(const run_pointer& run, watched_ring& r, error_code ec);
    std::size_t look_why(const run_pointer& run, watched_ring& r);
    std::size_t turn(const run_pointer& run, watched_ring& r);
    void stay_awake(const run_pointer& run, std::chrono::nanoseconds rest);
    void on_tick(const run_pointer& run);
    bool fall_asleep() noexcept;
    void say_awake(bool awake) noexcept;
    drained drain(const watched_ring& r, std::size_t limit);
    void drain_rings();
    void begin_changes(const run_pointer& run);
    void arm_changes(const run_pointer& run);
    void take_changes(const run_pointer& run);

    // reader_side.cpp: what it reads besides.
    void begin_side(const run_pointer& run);
    void arm_side(const run_pointer& run);
    void on_side_readable(const run_pointer& run, error_code ec);
    void turn_side(const run_pointer& run);
    void tick_side(const run_pointer& run);
    bool drain_side();

    executor_type strand_;
    std::vector<watched_ring> rings_;
    std::shared_ptr<event_sink> sink_;
    side_source* side_;
    std::unique_ptr<descriptor> side_watch_;
    std::unique_ptr<timer> side_timer_; // Only while a run is outstanding.
    bool side_resuming_ = false;
    ring_changes* changes_;
    std::unique_ptr<descriptor> changes_watch_;
    shared_word* awake_word_;
    pace pace_;
    std::unique_ptr<timer> timer_; // Only while a run is outstanding; runs while we are awake.
    bool awake_ = false;
    trailer_pool trailers_;
    std::array<event, 256> batch_;
    std::array<record_tag, 256> tags_;

    mutable std::mutex mutex_; // Of the rest, which never is held while reading in the strand.
    std::weak_ptr<run_state> run_;
    bool running_ = false;
    bool stopping_ = false;
};

} // namespace ctflow::transport
