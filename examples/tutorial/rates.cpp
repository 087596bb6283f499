// SPDX-License-Identifier: Apache-2.0
//
// docs/tutorial.md, the last step: how fast each flow is, for ever.
#include <ctflow/ctflow.hpp>

#include <boost/asio.hpp>

#include <array>
#include <chrono>
#include <exception>
#include <iostream>
#include <span>

namespace asio = boost::asio;

asio::awaitable<void> print(ctflow::consumer& flows) {
    ctflow::flow_deltas deltas;
    std::array<ctflow::event, 256> batch;
    for (;;) {
        const auto n = co_await flows.async_receive(batch);
        for (const auto& event : std::span(batch).first(n)) {
            const auto d = deltas.take(event);
            const double seconds = std::chrono::duration<double>(d.interval).count();
            if (d.kind == ctflow::delta_kind::next && seconds > 0) {
                std::cout << event.src_addr() << " > " << event.dst_addr() << ' '
                          << static_cast<double>(d.bytes_orig) / seconds << " bytes/s there, "
                          << static_cast<double>(d.bytes_ret) / seconds << " back" << std::endl;
            }
        }
    }
}

int main() try {
    asio::io_context context;
    ctflow::probe probe(context);
    ctflow::apply_sysctls();
    ctflow::consumer flows(context, "rates");
    probe.register_consumer(flows);
    probe.start();
    probe.async_run([](ctflow::error_code ec) { std::cerr << ec.message() << '\n'; });
    asio::co_spawn(context, print(flows), asio::detached);
    context.run();
} catch (const std::exception& e) {
    std::cerr << "rates: " << e.what() << '\n';
    return 1;
}
