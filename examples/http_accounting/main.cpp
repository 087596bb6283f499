// SPDX-License-Identifier: Apache-2.0
//
// An HTTP server as any other, to which accounting for the host's flows has been added: what it
// takes is the lines that name ctflow below. All on one io_context, run by one thread.
#include "accounting.hpp"
#include "common/command_line.hpp"
#include "common/spawn.hpp"
#include "flows.hpp"
#include "metrics.hpp"
#include "server.hpp"
#include "site.hpp"

#include <ctflow/ctflow.hpp>

#include <boost/asio.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr const char* usage =
    R"(usage: http_accounting [OPTION]...

Serves pages by HTTP, and accounts for the flows of this host: /metrics for
Prometheus, /flows as JSON.

  --address ADDRESS  to listen at (127.0.0.1: who talks to whom is not for all)
  --port PORT        0: one that is free (8080)
  --max-flows N      flows that are followed at a time (65536)
  --no-sysctl        do not switch on conntrack's counters and time stamps
  --help
)";

struct options {
    asio::ip::address address = asio::ip::address_v4::loopback();
    std::uint16_t port = 8080;
    std::uint32_t max_flows = 65536;
    bool no_sysctl = false;
    bool help = false;
};

void complain(const std::string& message) {
    std::fputs(("http_accounting: " + message + '\n').c_str(), stderr);
}

tcp::acceptor listen(asio::io_context& context, const tcp::endpoint& at) try {
    return {context, at};
} catch (const boost::system::system_error& e) {
    throw ctflow::system_error(e.code(),
                               at.address().to_string() + ", port " + std::to_string(at.port()));
}

void run(const options& o) {
    asio::io_context context(1);

    ctflow::config config;
    config.max_flows = o.max_flows;
    ctflow::probe probe(context, config);
    if (!o.no_sysctl) {
        ctflow::apply_sysctls();
    }
    ctflow::consumer flows(context, "http_accounting");
    probe.register_consumer(flows);
    http_accounting::accounting books(o.max_flows, std::chrono::system_clock::now());
    http_accounting::largest_flows largest(books.flows(), http_accounting::most_flows);

    const http_accounting::sources sources{
        [&] {
            return http_accounting::metrics(books, probe.stats(), flows.stats(), probe.kernel());
        },
        [&](std::size_t most) {
            return boost::json::serialize(largest.list(most, std::chrono::steady_clock::now()));
        }};
    http_accounting::server server(listen(context, {o.address, o.port}), [&](const auto& q) {
        return http_accounting::respond(q, sources);
    });

    probe.start();
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](ctflow::error_code ec, int) {
        if (!ec) {
            server.stop();
            probe.stop();
        }
    });
    examples::spawn(context, probe.async_run(asio::use_awaitable));
    examples::spawn(context, http_accounting::account(flows, books));
    examples::spawn(context, server.run());
    std::cout << "listening at http://" << server.local_endpoint() << "/" << std::endl;
    context.run();
}

} // namespace

int main(int argc, char** argv) {
    options o;
    const auto address = [&o](std::string_view text) {
        ctflow::error_code ec;
        o.address = asio::ip::make_address(text, ec);
        return !ec;
    };
    const auto error = examples::parse(
        {argv + 1, argv + argc},
        {{"address", "an IP address", address},
         {"port", "a whole number from 0 to 65535",
          examples::number(o.port, std::uint16_t{0}, std::uint16_t{65535})},
         {"max-flows", "a whole number from 1 to 1000000",
          examples::number(o.max_flows, std::uint32_t{1}, std::uint32_t{1'000'000})},
         {"no-sysctl", "", examples::flag(o.no_sysctl)},
         {"help", "", examples::flag(o.help)}});
    if (!error.empty()) {
        complain(error + "\nTry 'http_accounting --help'.");
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
