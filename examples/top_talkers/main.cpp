// SPDX-License-Identifier: Apache-2.0
//
// The flows that move most, on a terminal, refreshed until q or a signal.
#include "common/command_line.hpp"
#include "common/flow_table.hpp"
#include "common/spawn.hpp"
#include "screen.hpp"
#include "terminal.hpp"

#include <ctflow/ctflow.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <span>
#include <string>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

constexpr const char* usage =
    R"(usage: top_talkers [OPTION]...

Shows the flows of this host that move most, bytes a second each way: SENT by
the source, and BACK by the destination. q quits.

  --interval SECONDS  between screens, fractions allowed (1)
  --max-flows N       flows that are followed at a time (65536)
  --no-sysctl         do not switch on conntrack's counters and time stamps
  --help
)";

struct options {
    double interval = 1;
    std::uint32_t max_flows = 65536;
    bool no_sysctl = false;
    bool help = false;
};

void complain(const std::string& message) {
    std::fputs(("top_talkers: " + message + '\n').c_str(), stderr);
}

// A flow that moves packets sends an event each interval, however old it is.
ctflow::config every(std::chrono::nanoseconds interval) {
    ctflow::config c;
    c.curve0.rate = interval;
    c.curve1 = {1h, interval};
    c.curve2 = {2h, interval};
    return c;
}

asio::awaitable<void> follow(ctflow::consumer& consumer, examples::flow_table& flows) {
    std::array<ctflow::event, 256> batch;
    for (;;) {
        const auto [ec, n] =
            co_await consumer.async_receive(batch, asio::as_tuple(asio::use_awaitable));
        if (ec) {
            co_return; // The probe has stopped.
        }
        for (const auto& event : std::span(batch).first(n)) {
            flows.apply(event);
        }
        flows.forget_ended(ctflow::boot_clock::now());
    }
}

std::uint64_t lost(const ctflow::probe& probe, const ctflow::consumer& consumer) {
    const auto p = probe.stats();
    return p.perf_events_update_lost + p.perf_events_destroy_lost + p.updates_without_ring +
           consumer.stats().events_lost;
}

// Until then, a screen after each interval and whenever the terminal has another size.
asio::awaitable<void> show_until_told(ctflow::probe& probe, const ctflow::consumer& consumer,
                                      examples::flow_table& flows, top_talkers::terminal& terminal,
                                      std::chrono::nanoseconds interval) {
    const auto executor = co_await asio::this_coro::executor;
    asio::signal_set end(executor, SIGINT, SIGTERM, SIGHUP);
    asio::signal_set resized(executor, SIGWINCH);
    asio::steady_timer timer(executor);

    const auto refresh = [&]() -> asio::awaitable<void> {
        for (;;) {
            flows.forget_ended(ctflow::boot_clock::now());
            const top_talkers::moment now{ctflow::boot_clock::now(),
                                          std::chrono::system_clock::now()};
            co_await terminal.show(
                top_talkers::screen(flows, now, lost(probe, consumer), terminal.size()));
            timer.expires_after(interval);
            co_await (timer.async_wait(asio::use_awaitable) ||
                      resized.async_wait(asio::use_awaitable));
        }
    };
    co_await (refresh() || terminal.until('q') || end.async_wait(asio::use_awaitable));
    probe.stop();
}

void run(const options& o) {
    const auto interval = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(o.interval));
    auto config = every(interval);
    config.max_flows = o.max_flows;

    asio::io_context context(1);
    ctflow::probe probe(context, config);
    if (!o.no_sysctl) {
        ctflow::apply_sysctls();
    }
    ctflow::consumer consumer(context, "top_talkers");
    probe.register_consumer(consumer);
    examples::flow_table flows(o.max_flows, std::chrono::system_clock::now());
    probe.start();
    top_talkers::terminal terminal(context.get_executor());
    examples::spawn(context, probe.async_run(asio::use_awaitable));
    examples::spawn(context, follow(consumer, flows));
    examples::spawn(context, show_until_told(probe, consumer, flows, terminal, interval));
    context.run();
}

} // namespace

int main(int argc, char** argv) {
    options o;
    const auto error = examples::parse(
        {argv + 1, argv + argc},
        {{"interval", "seconds from 0.1 to 60", examples::number(o.interval, 0.1, 60.0)},
         {"max-flows", "a whole number from 1 to 1000000",
          examples::number(o.max_flows, std::uint32_t{1}, std::uint32_t{1'000'000})},
         {"no-sysctl", "", examples::flag(o.no_sysctl)},
         {"help", "", examples::flag(o.help)}});
    if (!error.empty()) {
        complain(error + "\nTry 'top_talkers --help'.");
        return 2;
    }
    if (o.help) {
        return std::fputs(usage, stdout) < 0 || std::fflush(stdout) != 0;
    }
    try {
        run(o);
        return 0;
    } catch (const std::exception& e) {
        complain(e.what());
        return 1;
    }
}
