// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a probe is made of but for its programs, on real buffers of the running kernel, and books of
// where the events went.
#include "probe/fanout.hpp"
#include "probe/registry.hpp"
#include "support/emitter.hpp"
#include "transport/reader.hpp"
#include "transport/record_rings.hpp"

#include <ctflow/consumer.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <vector>

namespace ctflow {

inline std::ostream& operator<<(std::ostream& out, transport_kind k) {
    return out << (k == transport_kind::perf_buffer ? "perf buffer" : "ring buffer");
}

namespace test {

inline constexpr std::array transports{transport_kind::perf_buffer, transport_kind::ring_buffer};

enum class pace { fast, slow, stopped };

inline std::ostream& operator<<(std::ostream& out, pace p) {
    return out << (p == pace::fast ? "fast" : p == pace::slow ? "slow" : "stopped");
}

// Receives, and keeps account of what.
class customer {
public:
    customer(boost::asio::io_context& ctx, const std::string& name, pace p, std::size_t capacity)
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
                rest_.expires_after(std::chrono::milliseconds(1));
                rest_.async_wait([this](error_code) { receive(); });
            } else {
                receive();
            }
        });
    }

    consumer consumer_;
    const pace pace_;
    boost::asio::steady_timer rest_;
    std::array<event, 64> batch_;
    std::array<std::uint64_t, 2> counts_{};
};

// What a probe is made of, but for its programs.
struct ledger {
    ledger(transport_kind kind, std::size_t pages, std::size_t reserve_pages)
        : source(kind, pages, reserve_pages), rings(source.maps(), settings(kind, pages), ec, diag),
          reader(std::make_shared<transport::reader>(ctx.get_executor(), rings.sources(), sink,
                                                     nullptr, rings.told())) {
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
    boost::asio::io_context ctx;
    emitter source;
    transport::record_rings rings;
    detail::registry registry;
    std::shared_ptr<detail::fanout> sink = std::make_shared<detail::fanout>(registry);
    std::shared_ptr<transport::reader> reader;
    std::vector<std::unique_ptr<customer>> customers;
};

} // namespace test
} // namespace ctflow
