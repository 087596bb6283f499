// SPDX-License-Identifier: Apache-2.0
//
// Every event that is sent is delivered to each consumer, or counted in one place. Under overload,
// on real buffers of the running kernel, from the probe's own code on both of their ends.
#include "host/locked_memory.hpp"
#include "probe/fanout.hpp"
#include "probe/registry.hpp"
#include "support/emitter.hpp"
#include "transport/reader.hpp"
#include "transport/record_rings.hpp"

#include <ctflow/consumer.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
using namespace ctflow;
using namespace std::chrono_literals;
using test::emitter;

namespace {

enum class pace { fast, slow, stopped };

[[maybe_unused]] std::ostream& operator<<(std::ostream& out, pace p) {
    return out << (p == pace::fast ? "fast" : p == pace::slow ? "slow" : "stopped");
}

// Receives, and keeps account of what.
class customer {
public:
    customer(asio::io_context& ctx, const std::string& name, pace p, std::size_t capacity)
        : consumer_(ctx, name, consumer_mode::all, capacity), pace_(p), rest_(ctx) {
        if (pace_ != pace::stopped) {
            receive();
        }
    }

    const consumer& of() const { return consumer_; }
    std::uint64_t updates() const { return counts_[0]; }
    std::uint64_t destroys() const { return counts_[1]; }
    std::uint64_t received() const { return counts_[0] + counts_[1]; }

private:
    void receive() {
        consumer_.async_receive(batch_, [this](error_code ec, std::size_t n) {
            if (ec) {
                return;
            }
            for (const auto& e : std::span(batch_).first(n)) {
                ++counts_[e.kind() == event_kind::update ? 0 : 1];
            }
            if (pace_ == pace::slow) {
                rest_.expires_after(1ms);
                rest_.async_wait([this](error_code) { receive(); });
            } else {
                receive();
            }
        });
    }

    consumer consumer_;
    const pace pace_;
    asio::steady_timer rest_;
    std::array<event, 64> batch_;
    std::array<std::uint64_t, 2> counts_{};
};

// What a probe is made of, but for its programs.
struct ledger {
    ledger(transport_kind kind, std::size_t pages, std::size_t reserve_pages)
        : source(kind, pages, reserve_pages), rings(source.maps(), settings(kind, pages), ec, diag),
          reader(std::make_shared<transport::reader>(ctx.get_executor(), rings.sources(), sink,
                                                     nullptr, rings.told(), &rings)) {
        BOOST_REQUIRE_MESSAGE(!ec, ec.message() << ": " << diag);
    }

    static config settings(transport_kind kind, std::size_t pages) {
        config c;
        c.transport = kind;
        c.buffer_pages = pages;
        return c;
    }

    void add(pace p, std::size_t capacity = 256) {
        customers.push_back(std::make_unique<customer>(
            ctx, "consumer " + std::to_string(customers.size()), p, capacity));
        registry.add(customers.back()->of().core(), ec);
        BOOST_REQUIRE(!ec);
    }

    void run() {
        reader->run([&](error_code e) { BOOST_TEST(!e); });
    }

    void finish() {
        reader->stop({});
        ctx.restart();
        ctx.run();
    }

    probe_stats stats() const {
        auto s = source.stats();
        sink->read(s);
        return s;
    }

    void check(std::uint64_t updates, std::uint64_t destroys) const {
        const auto s = stats();
        BOOST_TEST(s.perf_events_update + s.perf_events_update_lost == updates);
        BOOST_TEST(s.perf_events_destroy + s.perf_events_destroy_lost == destroys);
        BOOST_TEST(s.updates_without_ring == 0U);
        BOOST_TEST(s.perf_records_malformed == 0U);
        for (const auto& each : customers) {
            const auto c = each->of().stats();
            BOOST_TEST(c.events_received + c.events_lost == s.perf_events_total);
            BOOST_TEST(c.events_received == each->received() + c.event_queue_length);
        }
    }

    error_code ec;
    diagnostics diag;
    asio::io_context ctx;
    emitter source;
    transport::record_rings rings;
    detail::registry registry;
    std::shared_ptr<detail::fanout> sink = std::make_shared<detail::fanout>(registry);
    std::shared_ptr<transport::reader> reader;
    std::vector<std::unique_ptr<customer>> customers;
};

const std::array transports{transport_kind::perf_buffer, transport_kind::ring_buffer};

} // namespace

namespace ctflow {
[[maybe_unused]] static std::ostream& operator<<(std::ostream& out, transport_kind k) {
    return out << (k == transport_kind::perf_buffer ? "perf buffer" : "ring buffer");
}
} // namespace ctflow

BOOST_AUTO_TEST_SUITE(books)

BOOST_DATA_TEST_CASE(every_event_is_delivered_or_counted_once,
                     data::make(transports) * data::make(std::array{1, 4}) *
                         data::make(std::array{pace::fast, pace::slow, pace::stopped}),
                     kind, consumers, how) {
    ledger b(kind, 8, 1); // Small, so that they overflow.
    for (int i = 0; i < consumers; ++i) {
        b.add(i == 0 ? how : pace::fast);
    }
    b.run();
    std::uint64_t updates = 0;
    std::uint64_t destroys = 0;
    std::atomic<bool> done = false;
    std::thread sender([&] {
        test::stay_on_cpu(0);
        const auto end = std::chrono::steady_clock::now() + 300ms;
        while (std::chrono::steady_clock::now() < end) {
            b.source.emit(1000);
            b.source.emit(100, event_kind::destroy);
            updates += 1000;
            destroys += 100;
        }
        done = true;
    });
    while (!done) {
        b.ctx.restart();
        b.ctx.run_for(5ms);
        std::this_thread::sleep_for(1ms); // So that the rings overflow in any case.
    }
    sender.join();
    b.finish();
    b.check(updates, destroys);
    BOOST_TEST(b.stats().perf_events_update_lost > 0U);
    if (how == pace::stopped) {
        BOOST_TEST(b.customers.front()->of().stats().events_lost > 0U);
    }
    BOOST_TEST_MESSAGE(updates << " updates, " << b.stats().perf_events_update_lost << " lost; "
                               << destroys << " destroys, " << b.stats().perf_events_destroy_lost
                               << " lost");
}

// While the reader is stalled, by more than their ring holds, and in the middle of updates that
// push each other out.
BOOST_DATA_TEST_CASE(destroys_survive_where_updates_are_dropped, data::make(transports), kind) {
    ledger b(kind, host::with_sizes({}).buffer_pages, config{}.reserve_pages);
    b.add(pace::fast, 65536);
    b.run();
    b.ctx.poll();
    std::uint64_t updates = 0;
    for (int i = 0; i < 10; ++i) {
        b.source.emit(1000, event_kind::destroy);
        for (int k = 0; k < 10; ++k) {
            b.source.emit(1000);
            updates += 1000;
        }
    }
    std::this_thread::sleep_for(1s);
    b.finish();
    b.check(updates, 10'000);
    const auto s = b.stats();
    BOOST_TEST(s.perf_events_update_lost > 0U);
    BOOST_TEST(s.perf_events_destroy == 10'000U);
    BOOST_TEST(s.perf_events_destroy_lost == 0U);
    BOOST_TEST(s.destroys_in_reserve > 0U);
    BOOST_TEST(b.customers.front()->destroys() == 10'000U);
}

BOOST_DATA_TEST_CASE(a_reserve_that_is_full_is_counted_too, data::make(transports), kind) {
    ledger b(kind, 1, 1);
    b.add(pace::fast);
    BOOST_TEST(b.source.emit(1000, event_kind::destroy) < 200U);
    b.run();
    b.finish();
    b.check(0, 1000);
    BOOST_TEST(b.stats().destroys_in_reserve > 0U);
    BOOST_TEST(b.stats().perf_events_destroy_lost > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
