// SPDX-License-Identifier: Apache-2.0
//
// Connections that open and close all the time, 5,000 a second where the machine can (a VM without
// KVM cannot): each has its end told once.
#include "support/netns.hpp"
#include "vm/watch.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using asio::ip::address_v4;
using asio::ip::tcp;

namespace {

constexpr std::uint32_t flows_a_second = 5'000;
constexpr std::uint32_t first_address = 0x7f010000; // 127.1.0.0

std::uint32_t seconds() {
    const char* value = std::getenv("CTFLOW_SECONDS");
    return value != nullptr && *value != 0 ? static_cast<std::uint32_t>(std::atoi(value)) : 30;
}

// Connects, and resets, from another address of 127/8 each time: flow i is that of address i. A
// tenth of a second's flows are taken out of conntrack's table at a time, since the kernel itself
// comes round to those that have expired only now and then.
class churn {
public:
    churn(const netns& ns, std::uint32_t flows)
        : ns_(ns), flows_(flows), thread_([this] { run(); }) {}
    ~churn() { thread_.join(); }
    churn(const churn&) = delete;
    churn& operator=(const churn&) = delete;

    bool done() const noexcept { return done_; }
    const std::string& failure() const noexcept { return failure_; } // Once it is done.
    std::chrono::duration<double> lasted() const noexcept { return lasted_; }

private:
    void run() {
        const auto began = std::chrono::steady_clock::now();
        try {
            const netns::inside in(ns_);
            asio::io_context sockets; // Never run.
            tcp::acceptor acceptor(sockets, tcp::endpoint(address_v4::loopback(), 2002));
            for (std::uint32_t i = 0; i < flows_; ++i) {
                if (i % (flows_a_second / 10) == 0) {
                    ns_.run("conntrack -F");
                }
                if (i % (flows_a_second / 100) == 0) {
                    std::this_thread::sleep_until(began + i / (flows_a_second / 100) * 10ms);
                }
                tcp::socket client(sockets, tcp::endpoint(address_v4(first_address + i), 1001));
                client.connect(acceptor.local_endpoint());
                auto server = acceptor.accept();
                client.set_option(asio::socket_base::linger(true, 0));
            }
        } catch (const std::exception& e) {
            failure_ = e.what();
        }
        lasted_ = std::chrono::steady_clock::now() - began;
        done_ = true;
    }

    const netns& ns_;
    const std::uint32_t flows_;
    std::string failure_;
    std::chrono::duration<double> lasted_{};
    std::atomic<bool> done_{false};
    std::thread thread_;
};

// What was told of each flow.
struct tally {
    tally(const std::vector<event>& events, std::uint32_t netns, std::uint32_t flows)
        : updates(flows), destroys(flows) {
        for (const event& e : events) {
            if (e.netns() != netns || e.proto() != IPPROTO_TCP) {
                continue;
            }
            const auto i = e.src_addr().to_v4().to_uint() - first_address;
            if (i >= flows) {
                continue; // Turned around: conntrack picks up an answer to what was just deleted.
            }
            ++(e.kind() == event_kind::update ? updates : destroys)[i];
        }
    }

    std::uint64_t ended_twice() const {
        return static_cast<std::uint64_t>(
            std::ranges::count_if(destroys, [](auto n) { return n > 1; }));
    }
    std::uint64_t without_end() const {
        return static_cast<std::uint64_t>(std::ranges::count(destroys, 0));
    }
    // Those that a user believes to be there still.
    std::uint64_t left_alive() const {
        std::uint64_t n = 0;
        for (std::size_t i = 0; i < updates.size(); ++i) {
            n += updates[i] != 0 && destroys[i] == 0 ? 1 : 0;
        }
        return n;
    }

    std::vector<int> updates;
    std::vector<int> destroys;
};

// Flows whose end may not have been told, for a reason that was counted.
std::uint64_t lost(const watch& w) {
    const auto s = w.stats();
    return s.perf_events_destroy_lost + s.events_unaccounted + s.netlink_messages_lost +
           w.received().events_lost;
}

struct result {
    probe_stats stats;
    std::uint64_t lost = 0;
    std::uint64_t ended_twice = 0;
    std::uint64_t without_end = 0;
    std::uint64_t left_alive = 0;
};

result run_churn(const config& c, std::uint32_t flows) {
    const netns ns("ctflow-churn");
    watch w(c, std::size_t{4} * flows);
    {
        const churn traffic(ns, flows);
        w.until("the traffic", [&] { return traffic.done(); });
        BOOST_REQUIRE_EQUAL(traffic.failure(), "");
        BOOST_TEST_MESSAGE(flows << " connections in " << traffic.lasted().count() << " s");
    }
    ns.run("conntrack -F");
    w.until("all ends", [&] {
        return w.stats().perf_events_destroy + lost(w) >= flows &&
               w.received().event_queue_length == 0;
    });
    // After an overrun the table is looked through, until nothing is in doubt.
    w.until("a table without doubts",
            [&, since = w.stats().perf_events_destroy, quiet = 0]() mutable {
                w.idle(100ms);
                const auto now = w.stats().perf_events_destroy;
                quiet = now == since ? quiet + 1 : 0;
                since = now;
                return quiet == 5;
            });
    w.stop();

    const tally t(w.events, ns.inode(), flows);
    const result r{w.stats(), lost(w), t.ended_twice(), t.without_end(), t.left_alive()};
    BOOST_TEST_MESSAGE(r.stats.perf_events_update
                       << " updates, " << r.stats.perf_events_destroy << " destroys, of which "
                       << r.stats.destroys_reconstructed << " reconstructed; "
                       << r.stats.perf_events_update_lost << " updates lost; "
                       << r.stats.netlink_overruns << " overruns, " << r.stats.netlink_messages_lost
                       << " messages lost; " << r.without_end << " flows without an end");
    return r;
}

} // namespace

BOOST_AUTO_TEST_SUITE(churn)

BOOST_AUTO_TEST_CASE(each_end_is_told_once_or_counted) {
    const auto r = run_churn(config_under_test(), seconds() * flows_a_second);
    BOOST_TEST(r.ended_twice == 0U);
    BOOST_TEST(r.without_end <= r.lost);
    BOOST_TEST(r.left_alive == 0U);
    BOOST_TEST(r.stats.perf_records_malformed == 0U);
}

BOOST_AUTO_TEST_CASE(no_flow_that_is_gone_is_left_alive_by_a_tiny_netlink_buffer) {
    config c = config_under_test();
    c.netlink_buffer = config::netlink_buffer_least;
    const auto r = run_churn(c, std::min(seconds(), 5U) * flows_a_second);
    BOOST_TEST(r.stats.netlink_overruns > 0U);
    BOOST_TEST(r.stats.netlink_messages_lost > 0U);
    BOOST_TEST(r.stats.destroys_reconstructed > 0U);
    BOOST_TEST(r.ended_twice == 0U);
    BOOST_TEST(r.without_end <= r.lost);
    BOOST_TEST(r.left_alive == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
