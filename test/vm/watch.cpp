// SPDX-License-Identifier: Apache-2.0
#include "vm/watch.hpp"

#include "support/netns.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <span>
#include <stdexcept>
#include <utility>

namespace ctflow::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<void> collect(ctflow::consumer& consumer, std::vector<event>& events) {
    std::vector<event> batch(256);
    for (;;) {
        const auto [ec, n] =
            co_await consumer.async_receive(batch, asio::as_tuple(asio::use_awaitable));
        if (ec) {
            break;
        }
        events.insert(events.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(n));
    }
}

void start_in(const netns* ns, ctflow::probe& probe) {
    const std::optional<netns::inside> in =
        ns != nullptr ? std::optional<netns::inside>(std::in_place, *ns) : std::nullopt;
    probe.start();
}

} // namespace

attach_mode attach_under_test() {
    const char* value = std::getenv("CTFLOW_ATTACH");
    const std::string text = value != nullptr ? value : "";
    if (text == "fentry") {
        return attach_mode::fentry;
    }
    if (text == "kprobe") {
        return attach_mode::kprobe;
    }
    if (text == "netfilter") {
        return attach_mode::netfilter;
    }
    throw std::runtime_error("set CTFLOW_ATTACH to fentry, kprobe or netfilter");
}

boost::test_tools::assertion_result by_tracing(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result answer(attach_under_test() != attach_mode::netfilter);
    answer.message() << "not seen by netfilter; runs with fentry and kprobe";
    return answer;
}

transport_kind transport_under_test() {
    const char* value = std::getenv("CTFLOW_TRANSPORT");
    const std::string text = value != nullptr ? value : "";
    if (text.empty() || text == "perf_buffer") {
        return transport_kind::perf_buffer;
    }
    if (text == "ring_buffer") {
        return transport_kind::ring_buffer;
    }
    throw std::runtime_error("CTFLOW_TRANSPORT must be perf_buffer or ring_buffer");
}

config config_under_test() {
    config c;
    c.attach = attach_under_test();
    c.transport = transport_under_test();
    c.audit_interval = 2s; // Tests do not wait for minutes.
    return c;
}

config every_packet() {
    config c = config_under_test();
    c.curve0 = c.curve1 = c.curve2 = {0s, 1ns};
    c.curve1.age = 1h;
    c.curve2.age = 2h;
    return c;
}

config every_packet(const std::string& filter) {
    config c = every_packet();
    c.filter = ctflow::filter::parse(filter);
    return c;
}

watch::further::further(asio::io_context& ctx, const config& c, std::size_t capacity)
    : probe(ctx, c), consumer(ctx, "watch", consumer_mode::all, capacity) {
    probe.register_consumer(consumer);
}

watch::watch(const config& c, std::size_t capacity)
    : probe(ctx, c), consumer(ctx, "watch", consumer_mode::all, capacity) {
    auto namespaces = netns::all();
    if (c.attach != attach_mode::netfilter || namespaces.empty()) {
        namespaces = {nullptr}; // That of this thread, should it matter.
    }
    probe.register_consumer(consumer);
    start_in(namespaces.front(), probe);
    probe.async_run([this](error_code ec) { run_result = ec; });
    asio::co_spawn(ctx, collect(consumer, events), asio::detached);
    for (const auto* ns : std::span(namespaces).subspan(1)) {
        auto& other = *others_.emplace_back(std::make_unique<further>(ctx, c, capacity));
        start_in(ns, other.probe);
        other.probe.async_run([](error_code ec) { BOOST_TEST(!ec); });
        asio::co_spawn(ctx, collect(other.consumer, events), asio::detached);
    }
    ctx.poll();
}

watch::~watch() = default;

void watch::until(const std::string& what, const std::function<bool()>& seen) {
    const auto deadline = std::chrono::steady_clock::now() + 120s;
    while (!seen()) {
        if (std::chrono::steady_clock::now() > deadline) {
            const auto shown = std::min<std::size_t>(events.size(), 100);
            for (const auto& e : std::span(events).last(shown)) {
                BOOST_TEST_MESSAGE(to_string(e));
            }
            const auto s = stats();
            BOOST_FAIL("waited in vain for "
                       << what << "; " << s.perf_events_update << " updates, "
                       << s.perf_events_update_lost << " lost; " << s.perf_events_destroy
                       << " destroys, " << s.perf_events_destroy_lost << " lost, "
                       << s.destroys_reconstructed << " reconstructed; " << s.netlink_overruns
                       << " overruns; " << s.events_unaccounted << " unaccounted; "
                       << s.program_misses << " misses");
        }
        ctx.restart();
        ctx.run_one_for(50ms);
        ctx.poll(); // To look may take longer than a handler, when there are many events.
    }
}

void watch::poll() {
    ctx.restart();
    ctx.poll();
}

void watch::idle(std::chrono::milliseconds duration) {
    ctx.restart();
    ctx.run_for(duration);
}

void watch::stop() {
    probe.stop();
    for (const auto& other : others_) {
        other->probe.stop();
    }
    ctx.restart();
    ctx.run(); // Ends by itself: the run completes, the consumer is closed.
    BOOST_TEST(!run_result.value());
}

void watch::set_filter(const ctflow::filter& f) {
    probe.set_filter(f);
    for (const auto& other : others_) {
        other->probe.set_filter(f);
    }
}

probe_stats watch::stats() const {
    auto sum = probe.stats();
    for (const auto& other : others_) {
        const auto more = other->probe.stats();
        for (const auto counter :
             {&probe_stats::perf_events_total, &probe_stats::perf_bytes_total,
              &probe_stats::perf_events_update, &probe_stats::perf_events_update_lost,
              &probe_stats::perf_events_destroy, &probe_stats::perf_events_destroy_lost,
              &probe_stats::updates_without_ring, &probe_stats::destroys_in_reserve,
              &probe_stats::perf_records_malformed, &probe_stats::flows_untracked,
              &probe_stats::packets_untracked, &probe_stats::events_unaccounted,
              &probe_stats::program_misses, &probe_stats::netlink_overruns,
              &probe_stats::netlink_messages_lost, &probe_stats::destroys_reconstructed}) {
            sum.*counter += more.*counter;
        }
    }
    return sum;
}

consumer_stats watch::received() const {
    auto sum = consumer.stats();
    for (const auto& other : others_) {
        const auto more = other->consumer.stats();
        sum.events_received += more.events_received;
        sum.events_lost += more.events_lost;
        sum.event_queue_length += more.event_queue_length;
    }
    return sum;
}

std::vector<event> watch::select(const filter& f) const {
    std::vector<event> selected;
    std::ranges::copy_if(events, std::back_inserter(selected), f);
    return selected;
}

} // namespace ctflow::test
