// SPDX-License-Identifier: Apache-2.0
//
// The probe reads in one context, its consumers work on the threads of another: one counts, one
// prints. Should printing be slow, neither the probe nor the counting waits for it; at the worst
// the printer loses events of its own, which are counted.
//
// usage: two_contexts; ends at SIGINT or SIGTERM
#include <ctflow/ctflow.hpp>

#include <boost/asio.hpp>

#include <array>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>

namespace asio = boost::asio;

namespace {

// A consumer is used by one thread at a time. Its coroutine runs on the strand that it was made
// with, whichever thread of the pool that is.
template <class Use>
asio::awaitable<void> receive(ctflow::consumer& flows, Use use) {
    std::array<ctflow::event, 256> batch;
    for (;;) {
        const auto [ec, n] =
            co_await flows.async_receive(batch, asio::as_tuple(asio::use_awaitable));
        if (ec) {
            co_return; // The probe has stopped, and this was all.
        }
        use(std::span(batch).first(n));
    }
}

struct totals {
    std::uint64_t flows = 0;
    std::uint64_t bytes = 0;
};

} // namespace

int main() try {
    asio::io_context context(1); // The probe's: run by this thread.
    asio::thread_pool pool(2);   // The consumers'.
    ctflow::probe probe(context);
    ctflow::apply_sysctls();
    ctflow::consumer ended(asio::make_strand(pool), "ended", ctflow::consumer_mode::destroy);
    ctflow::consumer all(asio::make_strand(pool), "all");
    probe.register_consumer(ended);
    probe.register_consumer(all);
    probe.start();

    totals sum; // Its coroutine's alone until the pool has been joined.
    asio::co_spawn(ended.get_executor(),
                   receive(ended,
                           [&](std::span<const ctflow::event> events) {
                               for (const auto& e : events) {
                                   ++sum.flows;
                                   sum.bytes += e.bytes_orig() + e.bytes_ret();
                               }
                           }),
                   asio::detached);
    asio::co_spawn(all.get_executor(),
                   receive(all,
                           [](std::span<const ctflow::event> events) {
                               for (const auto& e : events) {
                                   std::cout << e << '\n';
                               }
                               std::cout.flush();
                           }),
                   asio::detached);

    asio::signal_set signals(context, SIGINT, SIGTERM);
    const auto stop = [&] {
        ctflow::error_code stopped_already;
        probe.stop(stopped_already); // Closes the consumers, which ends their coroutines.
    };
    signals.async_wait([&](ctflow::error_code ec, int) {
        if (!ec) {
            stop();
        }
    });
    ctflow::error_code failure;
    probe.async_run([&](ctflow::error_code ec) {
        failure = ec;
        signals.cancel();
        if (ec) {
            stop();
        }
    });
    context.run(); // Until the probe has passed on its last event,
    pool.join();   // and the consumers have received it.

    std::cerr << sum.flows << " flows have ended, after " << sum.bytes << " bytes; "
              << all.stats().events_lost << " events were not printed in time\n";
    if (failure) {
        throw ctflow::system_error(failure);
    }
} catch (const std::exception& e) {
    std::cerr << "two_contexts: " << e.what() << '\n';
    return 1;
}
