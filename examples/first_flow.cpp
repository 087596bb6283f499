// SPDX-License-Identifier: Apache-2.0
//
// Prints the next event of any flow of this host, and exits.
#include <ctflow/ctflow.hpp>

#include <boost/asio.hpp>

#include <exception>
#include <iostream>

namespace asio = boost::asio;

asio::awaitable<void> print_first(ctflow::consumer& flows, ctflow::probe& probe) {
    std::cout << co_await flows.async_receive() << std::endl;
    probe.stop(); // Which lets async_run end, and with it the program.
}

int main() try {
    asio::io_context context(1);
    ctflow::probe probe(context);
    ctflow::apply_sysctls(); // conntrack counts and time-stamps flows from here on
    ctflow::consumer flows(context, "first_flow");
    probe.register_consumer(flows);
    probe.start();
    // What fails in a coroutine fails in run(), and is caught below.
    const auto fail = [](const std::exception_ptr& e) {
        e ? std::rethrow_exception(e) : void();
    };
    asio::co_spawn(context, probe.async_run(asio::use_awaitable), fail);
    asio::co_spawn(context, print_first(flows, probe), fail);
    context.run(); // Ctrl-C ends it, too: the kernel detaches what a process leaves behind.
} catch (const std::exception& e) {
    std::cerr << "first_flow: " << e.what() << '\n';
    return 1;
}
