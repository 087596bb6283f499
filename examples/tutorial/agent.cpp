// SPDX-License-Identifier: Apache-2.0
//
// docs/tutorial.md, the last step: an agent that tells what each address has sent and received,
// and how much of that it missed, until it is told to end.
#include "totals.hpp"

#include <ctflow/ctflow.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <span>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;

// A completion is a value then, not an exception: [ec, ...].
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

class agent {
public:
    explicit agent(const asio::any_io_executor& executor)
        : probe_(executor), flows_(executor, "agent"), timer_(executor),
          signals_(executor, SIGINT, SIGTERM) {}

    asio::awaitable<void> run() {
        probe_.register_consumer(flows_);
        probe_.start();
        std::cerr << "agent: ready, by " << to_string(probe_.kernel().attach) << '\n';
        co_await (probe_.async_run(asio::use_awaitable) && count() && report_often() &&
                  stop_when_told());
        report();
    }

private:
    asio::awaitable<void> count() {
        std::array<ctflow::event, 256> batch;
        for (;;) {
            const auto [ec, n] = co_await flows_.async_receive(batch, as_result);
            if (ec) {
                co_return; // The probe has stopped, and that was all.
            }
            for (const auto& event : std::span(batch).first(n)) {
                totals_.add(event);
            }
        }
    }

    asio::awaitable<void> report_often() {
        while (!told_) {
            timer_.expires_after(std::chrono::seconds(10));
            const auto [ec] = co_await timer_.async_wait(as_result);
            if (ec) {
                co_return; // Cancelled: it is over.
            }
            report();
            totals_.forget_ended();
        }
    }

    asio::awaitable<void> stop_when_told() {
        co_await signals_.async_wait(as_result);
        signals_.clear(); // A second signal does what it does to any program.
        told_ = true;
        timer_.cancel();
        probe_.stop();
    }

    void report() const {
        for (const auto& [address, traffic] : totals_.peers()) {
            std::cout << address << " sent " << traffic.sent << " received " << traffic.received
                      << '\n';
        }
        const auto kernel = probe_.stats();
        const auto queue = flows_.stats();
        std::cout << "lost " << kernel.perf_events_update_lost + kernel.updates_without_ring
                  << " updates, " << kernel.perf_events_destroy_lost << " ends, "
                  << queue.events_lost << " in the queue" << std::endl;
    }

    ctflow::probe probe_;
    ctflow::consumer flows_;
    asio::steady_timer timer_;
    asio::signal_set signals_;
    totals totals_;
    bool told_ = false;
};

int main() try {
    asio::io_context context(1);
    ctflow::apply_sysctls();
    agent a(context.get_executor());
    asio::co_spawn(context, a.run(), [](const std::exception_ptr& failure) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    });
    context.run();
} catch (const std::exception& e) {
    std::cerr << "agent: " << e.what() << '\n';
    return 1;
}
