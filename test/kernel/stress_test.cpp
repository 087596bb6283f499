// SPDX-License-Identifier: Apache-2.0
//
// Consumers that come and go, and contexts that stop and go on, while events flow as fast as they
// can. On real buffers of the running kernel; with ThreadSanitizer, too.
#include "host/locked_memory.hpp"
#include "kernel/ledger.hpp"
#include "support/cpus.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
using namespace ctflow;
using namespace std::chrono_literals;
using test::ledger;
using test::pace;
using test::transports;

namespace {

// Sends as fast as it can, from a thread of its own.
class flood {
public:
    explicit flood(test::emitter& source)
        : thread_([this, &source] {
              test::stay_on_cpu(0);
              while (!enough_) {
                  source.emit(1000);
                  source.emit(100, event_kind::destroy);
                  ++rounds_;
              }
          }) {}
    ~flood() { join(); }
    flood(const flood&) = delete;
    flood& operator=(const flood&) = delete;

    void join() {
        enough_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    std::uint64_t updates() const { return rounds_ * 1000; }
    std::uint64_t destroys() const { return rounds_ * 100; }

private:
    std::atomic<bool> enough_ = false;
    std::atomic<std::uint64_t> rounds_ = 0;
    std::thread thread_;
};

// Threads that run a context until they are joined.
class crew {
public:
    crew(asio::io_context& ctx, int size) : work_(ctx.get_executor()) {
        for (int i = 0; i < size; ++i) {
            threads_.emplace_back([&ctx] { ctx.run(); });
        }
    }
    ~crew() { join(); }
    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;

    void join() {
        work_.reset();
        for (auto& each : std::exchange(threads_, {})) {
            each.join();
        }
    }

private:
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::vector<std::thread> threads_;
};

// What a visit has received; its handlers may outlive it.
struct harvest {
    std::array<event, 64> batch;
    std::uint64_t events = 0;
    std::vector<error_code> ends;
};

void receive(consumer& c, const std::shared_ptr<harvest>& h) {
    c.async_receive(h->batch, [&c, h](error_code ec, std::size_t n) {
        h->events += n;
        if (ec) {
            h->ends.push_back(ec);
        } else {
            receive(c, h);
        }
    });
}

// Whether what a consumer has taken, and what lies in its queue, is what it was given. The probe
// may be about to give it some when it is closed, and counts them a moment later.
template <class Consumer>
bool balances(const Consumer& c, std::uint64_t taken) {
    for (int patience = 1000; patience > 0; --patience) {
        const auto s = c.stats();
        if (s.events_received == taken + s.event_queue_length) {
            return true;
        }
        std::this_thread::sleep_for(1ms);
    }
    return false;
}

enum class leave { removed, removed_by_name, closed, cancelled_and_closed, moved, destroyed, ways };

// A consumer that is registered, receives for a while on this thread, and goes in one way or
// another. Whether its books balance: what it got is what it was given, or lies in its queue, and
// its receives have come to an end, once. (Boost.Test's own checks are for one thread.)
bool visit(detail::registry& registry, const std::string& name, leave how) {
    asio::io_context ctx;
    const auto got = std::make_shared<harvest>();
    error_code added;
    error_code ec;
    bool balanced = true;
    {
        consumer c(ctx, name, consumer_mode::all, 512);
        registry.add(c.core(), added);
        receive(c, got);
        ctx.run_for(500us);
        ctx.restart();
        switch (how) {
        case leave::removed:
            registry.remove(*c.core(), ec);
            break;
        case leave::removed_by_name:
            registry.remove(name, ec);
            break;
        case leave::closed:
            c.close();
            break;
        case leave::cancelled_and_closed:
            c.cancel();
            c.close();
            break;
        case leave::moved: {
            consumer other(ctx, "of a name that nobody has");
            other = std::move(c);
            c = std::move(other); // What it receives into has not moved.
            c.close();
            break;
        }
        case leave::destroyed:
        case leave::ways:
            break;
        }
        if (how != leave::destroyed) {
            ctx.run();
            balanced = balances(c, got->events);
        }
    }
    ctx.restart();
    ctx.run();
    return !added && !ec && balanced && got->ends.size() == 1;
}

// A consumer whose receives run on a strand of a pool of threads. Whoever wants something of it,
// but to remove it from its probe, asks there.
class resident : public std::enable_shared_from_this<resident> {
public:
    using strand = asio::strand<asio::thread_pool::executor_type>;

    resident(asio::thread_pool& pool, const std::string& name)
        : strand_(asio::make_strand(pool)), consumer_(strand_, name, consumer_mode::all, 512) {}

    const basic_consumer<strand>& of() const { return consumer_; }

    void begin() { ask(&resident::receive); }
    void cancel() {
        ask([](resident& self) { self.consumer_.cancel(); });
    }
    void cancel_by_slot() {
        ask([](resident& self) { self.signal_.emit(asio::cancellation_type::total); });
    }
    void close() {
        ask([](resident& self) { self.consumer_.close(); });
    }

    // When its last receive has found it closed: whether its books balance, and no more receives
    // were aborted than were cancelled.
    bool ended_well(std::uint64_t cancelled) {
        ended_.get_future().wait();
        return balances(consumer_, received_) && aborted_ <= cancelled && on_strand_;
    }

private:
    template <class What>
    void ask(What what) {
        asio::post(strand_, [self = shared_from_this(), what] { std::invoke(what, *self); });
    }

    void receive() {
        consumer_.async_receive(
            batch_, asio::bind_cancellation_slot(signal_.slot(), [self = shared_from_this()](
                                                                     error_code ec, std::size_t n) {
                self->on_strand_ = self->on_strand_ && self->strand_.running_in_this_thread();
                self->received_ += n;
                self->aborted_ += ec == asio::error::operation_aborted ? 1 : 0;
                if (ec == errc::consumer_closed) {
                    self->ended_.set_value();
                } else {
                    self->receive();
                }
            }));
    }

    strand strand_;
    basic_consumer<strand> consumer_;
    asio::cancellation_signal signal_;
    std::array<event, 64> batch_;
    std::uint64_t received_ = 0;
    std::uint64_t aborted_ = 0;
    bool on_strand_ = true;
    std::promise<void> ended_;
};

// One that is cancelled twice, goes on, and leaves.
bool stay(detail::registry& registry, asio::thread_pool& pool, const std::string& name,
          bool removed) {
    const auto r = std::make_shared<resident>(pool, name);
    error_code added;
    error_code ec;
    registry.add(r->of().core(), added);
    r->begin();
    std::this_thread::sleep_for(200us);
    r->cancel();
    std::this_thread::sleep_for(200us);
    r->cancel_by_slot();
    std::this_thread::sleep_for(200us);
    if (removed) {
        registry.remove(*r->of().core(), ec);
    } else {
        r->close();
    }
    return !added && !ec && r->ended_well(2);
}

} // namespace

BOOST_AUTO_TEST_SUITE(stress)

BOOST_DATA_TEST_CASE(consumers_come_and_go_on_other_threads, data::make(transports), kind) {
    ledger b(kind, host::with_sizes({}).buffer_pages, config{}.reserve_pages);
    b.add(pace::fast, 65536);
    b.add(pace::stopped, 1024);
    b.run();
    crew readers(b.ctx, 4);
    flood events(b.source);
    std::vector<std::thread> visitors;
    visitors.reserve(3);
    std::atomic<int> visits = 0;
    std::atomic<int> good = 0;
    const auto end = std::chrono::steady_clock::now() + 2s;
    for (int of = 0; of < 3; ++of) {
        visitors.emplace_back([&, of] {
            for (int i = of; std::chrono::steady_clock::now() < end; ++i) {
                good += visit(b.registry, "visitor " + std::to_string(of),
                              static_cast<leave>(i % static_cast<int>(leave::ways)));
                ++visits;
            }
        });
    }
    for (auto& each : visitors) {
        each.join();
    }
    events.join();
    b.reader->stop({});
    readers.join();
    b.check(events.updates(), events.destroys());
    BOOST_TEST(visits > 10);
    BOOST_TEST(good == visits);
    BOOST_TEST_MESSAGE(visits << " visits during " << events.updates() + events.destroys()
                              << " events, " << b.stats().perf_events_total << " received");
}

// The probe's context has four threads, its consumers run on strands of a pool with three others,
// and are told what to do by yet others.
BOOST_DATA_TEST_CASE(consumers_live_on_strands_of_another_context, data::make(transports), kind) {
    ledger b(kind, host::with_sizes({}).buffer_pages, config{}.reserve_pages);
    b.add(pace::fast, 65536);
    b.run();
    crew readers(b.ctx, 4);
    asio::thread_pool pool(3);
    const auto always = std::make_shared<resident>(pool, "always");
    b.registry.add(always->of().core(), b.ec);
    BOOST_REQUIRE(!b.ec);
    always->begin();
    flood events(b.source);
    std::vector<std::thread> callers;
    callers.reserve(2);
    std::atomic<int> stays = 0;
    std::atomic<int> good = 0;
    const auto end = std::chrono::steady_clock::now() + 2s;
    for (int of = 0; of < 2; ++of) {
        callers.emplace_back([&, of] {
            for (int i = of; std::chrono::steady_clock::now() < end; ++i) {
                good += stay(b.registry, pool, "of caller " + std::to_string(of), i % 2 == 0);
                ++stays;
            }
        });
    }
    for (auto& each : callers) {
        each.join();
    }
    events.join();
    b.reader->stop({}); // Which closes those that are still there, when all has been read.
    readers.join();
    BOOST_TEST(always->ended_well(0));
    pool.join();
    b.check(events.updates(), events.destroys());
    BOOST_TEST(always->of().stats().events_received > 0U);
    BOOST_TEST(stays > 10);
    BOOST_TEST(good == stays);
    BOOST_TEST_MESSAGE(stays << " stays during " << events.updates() + events.destroys()
                             << " events, " << b.stats().perf_events_total << " received");
}

BOOST_DATA_TEST_CASE(a_context_stops_and_goes_on, data::make(transports), kind) {
    ledger b(kind, host::with_sizes({}).buffer_pages, config{}.reserve_pages);
    b.add(pace::fast, 65536);
    b.run();
    flood events(b.source);
    for (int i = 0; i < 300; ++i) {
        std::vector<std::thread> threads;
        threads.reserve(2);
        for (int k = 0; k < 2; ++k) {
            threads.emplace_back([&] { b.ctx.run(); });
        }
        std::this_thread::sleep_for(1ms);
        b.ctx.stop();
        for (auto& each : threads) {
            each.join();
        }
        b.ctx.restart();
    }
    events.join();
    b.finish();
    b.check(events.updates(), events.destroys());
    BOOST_TEST(b.customers.front()->received() > 0U);
}

// A run is cancelled, and another begun, while events flow: none is read twice or forgotten.
BOOST_DATA_TEST_CASE(runs_end_and_begin_again, data::make(transports), kind) {
    ledger b(kind, host::with_sizes({}).buffer_pages, config{}.reserve_pages);
    b.add(pace::fast, 65536);
    crew readers(b.ctx, 2);
    flood events(b.source);
    for (int i = 0; i < 200; ++i) {
        std::atomic<bool> ended = false;
        asio::cancellation_signal signal;
        b.reader->run(asio::bind_cancellation_slot(signal.slot(), [&](error_code ec) {
            BOOST_TEST(ec == asio::error::operation_aborted);
            ended = true;
        }));
        std::this_thread::sleep_for(1ms);
        signal.emit(asio::cancellation_type::terminal);
        while (!ended) {
            std::this_thread::yield();
        }
    }
    events.join();
    b.reader->stop({});
    readers.join();
    b.check(events.updates(), events.destroys());
}

BOOST_AUTO_TEST_SUITE_END()
