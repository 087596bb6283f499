// SPDX-License-Identifier: Apache-2.0
//
// The HTTP server and its accounting in one io_context, with requests as fast as wrk makes them,
// while 100,000 events a second come by the kernel's own buffers, as the probe's programs would
// send them: no request fails, and no event is lost.
//
// The buffers are large, since a machine that runs tests stands still now and then. With
// CTFLOW_DEFAULT_SIZES set they are what the example has, which do for 87 ms: for who measures.
#include "common/spawn.hpp"
#include "host/locked_memory.hpp"
#include "http_accounting/accounting.hpp"
#include "http_accounting/flows.hpp"
#include "http_accounting/metrics.hpp"
#include "http_accounting/server.hpp"
#include "http_accounting/site.hpp"
#include "kernel/ledger.hpp"
#include "support/cpus.hpp"
#include "support/netns.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <future>
#include <regex>
#include <string>
#include <thread>

#include <unistd.h>

namespace asio = boost::asio;
namespace data = boost::unit_test::data;
using namespace std::chrono_literals;
using ctflow::test::ledger;
using ctflow::test::transports;

namespace {

constexpr std::uint64_t enough_requests = 1000;

// Sends 100 events each millisecond, 10 of them destroys, until told to stop; a millisecond that
// it was kept from is made up for.
class sender {
public:
    explicit sender(ctflow::test::emitter& source)
        : thread_([this, &source] {
              ctflow::test::stay_on_cpu(0);
              const auto begin = std::chrono::steady_clock::now();
              for (auto due = begin; !enough_; due += 1ms) {
                  std::this_thread::sleep_until(due);
                  source.emit(90);
                  source.emit(10, ctflow::event_kind::destroy);
                  updates_ += 90;
                  destroys_ += 10;
              }
              took_ = std::chrono::steady_clock::now() - begin;
          }) {}
    ~sender() { stop(); }
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;

    void stop() {
        enough_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    std::uint64_t updates() const { return updates_; }
    std::uint64_t destroys() const { return destroys_; }
    double rate() const {
        return static_cast<double>(updates_ + destroys_) /
               std::chrono::duration<double>(took_).count();
    }

private:
    std::atomic<bool> enough_ = false;
    std::uint64_t updates_ = 0;
    std::uint64_t destroys_ = 0;
    std::chrono::steady_clock::duration took_{};
    std::thread thread_;
};

std::uint64_t number_in(const std::string& text, const char* pattern) {
    std::smatch found;
    return std::regex_search(text, found, std::regex(pattern)) ? std::stoull(found[1]) : 0;
}

// For wrk: the pages in turn.
constexpr const char* in_turn = R"(
local pages = {"/", "/metrics", "/flows"}
local n = 0
request = function()
    n = n + 1
    return wrk.format("GET", pages[n % #pages + 1])
end
)";

struct answers {
    std::uint64_t requests = 0;
    std::string said; // By wrk.
};

// Asks for the pages until there have been enough requests.
answers ask(std::uint16_t port) {
    const auto script = "/tmp/ctflow-pages." + std::to_string(::getpid()) + ".lua";
    std::ofstream(script) << in_turn;
    answers a;
    for (int round = 0; round != 30 && a.requests < enough_requests; ++round) {
        const auto said = ctflow::test::shell("wrk --threads 1 --connections 8 --duration 3s "
                                              "--timeout 20s --script " +
                                              script + " http://127.0.0.1:" + std::to_string(port));
        a.requests += number_in(said, "([0-9]+) requests in ");
        a.said += said;
    }
    ::unlink(script.c_str());
    return a;
}

struct sizes {
    std::size_t pages = 4096;
    std::size_t queue = 262'144;
};

sizes wanted() {
    const bool defaults = std::getenv("CTFLOW_DEFAULT_SIZES") != nullptr;
    return defaults ? sizes{ctflow::host::with_sizes({}).buffer_pages,
                            ctflow::consumer::default_capacity}
                    : sizes();
}

void requests_while_events_flow(ctflow::transport_kind kind) {
    // The emitter pins its thread, which is the one that runs the server then.
    const auto [pages, queue] = wanted();
    ledger b(kind, pages, ctflow::config{}.reserve_pages);
    ctflow::test::stay_on_cpu(1);
    ctflow::consumer flows(b.ctx, "http_accounting", ctflow::consumer_mode::all, queue);
    b.registry.add(flows.core(), b.ec);
    BOOST_REQUIRE(!b.ec);
    http_accounting::accounting books(65536, std::chrono::system_clock::now());
    http_accounting::largest_flows largest(books.flows(), http_accounting::most_flows);
    const http_accounting::sources sources{
        [&] { return http_accounting::metrics(books, b.stats(), flows.stats(), {}); },
        [&](std::size_t most) {
            return boost::json::serialize(largest.list(most, std::chrono::steady_clock::now()));
        }};
    http_accounting::server server(
        asio::ip::tcp::acceptor(b.ctx, {asio::ip::address_v4::loopback(), 0}),
        [&](const auto& q) { return http_accounting::respond(q, sources); });
    const auto port = server.local_endpoint().port();
    b.run();
    examples::spawn(b.ctx, http_accounting::account(flows, books));
    examples::spawn(b.ctx, server.run());

    sender events(b.source);
    auto asked = std::async(std::launch::async, [&] {
        const auto stop = [&] {
            events.stop();
            asio::post(b.ctx, [&] {
                server.stop();
                b.reader->stop({}); // Which closes the consumer when all has been read.
            });
        };
        try {
            ctflow::test::stay_on_cpu(0); // And so does wrk.
            auto a = ask(port);
            stop();
            return a;
        } catch (...) {
            stop();
            throw;
        }
    });
    b.ctx.run();
    const auto a = asked.get();
    BOOST_TEST_MESSAGE(a.said);

    const auto s = b.stats();
    const auto c = flows.stats();
    const auto lost = s.perf_events_update_lost + s.perf_events_destroy_lost + c.events_lost;
    BOOST_TEST(a.requests >= enough_requests);
    // wrk mentions them only if there are any.
    BOOST_TEST(a.said.find("Socket errors") == std::string::npos);
    BOOST_TEST(a.said.find("Non-2xx") == std::string::npos);
    BOOST_TEST(s.perf_events_update + s.perf_events_update_lost == events.updates());
    BOOST_TEST(s.perf_events_destroy + s.perf_events_destroy_lost == events.destroys());
    BOOST_TEST(c.events_received + c.events_lost == s.perf_events_total);
    BOOST_TEST(c.event_queue_length == 0U);
    // Each destroy is the end of a flow of its own, and has been accounted for. Whether any is lost
    // is the machine's speed to decide, and no failure; the message below tells.
    const auto ended = books.of(http_accounting::transport::other).ended;
    BOOST_TEST(ended <= events.destroys());
    BOOST_TEST(ended + lost >= events.destroys());
    BOOST_TEST(books.flows().live() <= books.flows().limit());
    BOOST_TEST_MESSAGE(a.requests << " requests, none failed; "
                                  << events.updates() + events.destroys() << " events sent, "
                                  << static_cast<std::uint64_t>(events.rate()) << " a second = "
                                  << c.events_received << " delivered + " << lost << " lost");
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_load)

BOOST_DATA_TEST_CASE(by, data::make(transports), kind) {
    requests_while_events_flow(kind);
}

BOOST_AUTO_TEST_SUITE_END()
