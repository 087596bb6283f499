// SPDX-License-Identifier: Apache-2.0
#include "vm/watch.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <span>
#include <stdexcept>

namespace ctflow::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<void> collect(watch& w) {
    std::vector<event> batch(256);
    for (;;) {
        const auto [ec, n] = co_await w.consumer.async_receive(
            batch, asio::experimental::as_tuple(asio::use_awaitable));
        if (ec) {
            break;
        }
        w.events.insert(w.events.end(), batch.begin(),
                        batch.begin() + static_cast<std::ptrdiff_t>(n));
    }
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
    throw std::runtime_error("set CTFLOW_ATTACH to fentry or kprobe");
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
    return c;
}

config every_packet() {
    config c = config_under_test();
    c.curve0 = c.curve1 = c.curve2 = {0s, 1ns};
    c.curve1.age = 1h;
    c.curve2.age = 2h;
    return c;
}

watch::watch(const config& c, std::size_t capacity)
    : probe(ctx, c), consumer(ctx, "watch", consumer_mode::all, capacity) {
    probe.register_consumer(consumer);
    probe.start();
    probe.async_run([this](error_code ec) { run_result = ec; });
    asio::co_spawn(ctx, collect(*this), asio::detached);
    ctx.poll();
}

watch::~watch() = default;

void watch::until(const std::string& what, const std::function<bool()>& seen) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!seen()) {
        if (std::chrono::steady_clock::now() > deadline) {
            const auto shown = std::min<std::size_t>(events.size(), 100);
            for (const auto& e : std::span(events).last(shown)) {
                BOOST_TEST_MESSAGE(to_string(e));
            }
            BOOST_FAIL("waited in vain for " << what);
        }
        ctx.restart();
        ctx.run_one_for(50ms);
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
    ctx.restart();
    ctx.run(); // Ends by itself: the run completes, the consumer is closed.
    BOOST_TEST(!run_result.value());
}

std::vector<event> watch::select(const filter& f) const {
    std::vector<event> selected;
    std::ranges::copy_if(events, std::back_inserter(selected), f);
    return selected;
}

} // namespace ctflow::test
