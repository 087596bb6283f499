// SPDX-License-Identifier: Apache-2.0
//
// docs/tutorial.md, the first step: prints events for ever.
#include <ctflow/ctflow.hpp>

#include <boost/asio.hpp>

#include <array>
#include <exception>
#include <iostream>
#include <span>

namespace asio = boost::asio;

asio::awaitable<void> print(ctflow::consumer& flows) {
    std::array<ctflow::event, 256> batch;
    for (;;) {
        const auto n = co_await flows.async_receive(batch);
        for (const auto& event : std::span(batch).first(n)) {
            std::cout << event << std::endl;
        }
    }
}

int main() try {
    asio::io_context context;
    ctflow::probe probe(context);
    for (const auto& change : ctflow::apply_sysctls()) {
        std::cerr << change.name << " is " << change.to << " now\n";
    }
    ctflow::consumer flows(context, "flows");
    probe.register_consumer(flows);
    probe.start();
    probe.async_run([](ctflow::error_code ec) { std::cerr << ec.message() << '\n'; });
    asio::co_spawn(context, print(flows), asio::detached);
    context.run();
} catch (const std::exception& e) {
    std::cerr << "flows: " << e.what() << '\n';
    return 1;
}
