// SPDX-License-Identifier: Apache-2.0
//
// Prints flow events until told to stop: the whole of ctflow's use in one coroutine.
#include "check.hpp"
#include "format.hpp"
#include "options.hpp"

#include <ctflow/ctflow.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using flowdump::options;

namespace {

void complain(const std::string& message) {
    std::fputs(("flowdump: " + message + '\n').c_str(), stderr);
}

ctflow::error_code last_error() {
    return {errno, boost::system::system_category()};
}

// Standard output. Where a reader can be slow (a pipe, a terminal) it waits in the reactor, so
// that signals are heard meanwhile; a file is written at once.
class output {
public:
    explicit output(const asio::any_io_executor& executor) : watch_(executor) {
        struct stat s {};
        if (::fstat(STDOUT_FILENO, &s) == 0 && (S_ISFIFO(s.st_mode) || S_ISCHR(s.st_mode))) {
            // Opened anew, since Asio makes it non-blocking, and who shares ours has not asked.
            ctflow::error_code cannot; // Then it is written like a file.
            watch_.assign(::open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC | O_NOCTTY), cannot);
        }
    }

    asio::awaitable<ctflow::error_code> write(std::string_view text) {
        while (!text.empty()) {
            if (watch_.is_open()) {
                const auto [ec] = co_await watch_.async_wait(watch_.wait_write,
                                                             asio::as_tuple(asio::use_awaitable));
                if (ec == asio::error::operation_not_supported) {
                    watch_.close(); // /dev/null and its like.
                } else if (ec) {
                    co_return ec;
                }
            }
            const int fd = watch_.is_open() ? watch_.native_handle() : STDOUT_FILENO;
            const auto written = ::write(fd, text.data(), text.size());
            if (written >= 0) {
                text.remove_prefix(static_cast<std::size_t>(written));
            } else if (errno != EINTR && errno != EAGAIN) {
                co_return last_error();
            }
        }
        co_return ctflow::error_code();
    }

private:
    asio::posix::stream_descriptor watch_;
};

// Prints events until there are no more, or enough of them, or nobody reads them.
asio::awaitable<ctflow::error_code> print_events(ctflow::consumer& consumer, const options& o) {
    output out(consumer.get_executor());
    std::vector<ctflow::event> buffer(256);
    std::uint64_t left = o.count.value_or(std::numeric_limits<std::uint64_t>::max());
    std::string text;
    while (left != 0) {
        const auto room = std::span(buffer).first(std::min<std::uint64_t>(left, buffer.size()));
        const auto [ec, n] =
            co_await consumer.async_receive(room, asio::as_tuple(asio::use_awaitable));
        if (ec) {
            break; // consumer_closed: the probe has stopped, and this was all.
        }
        text.clear();
        for (const auto& event : room.first(n)) {
            text += o.json ? flowdump::to_json(event, o.community_seed)
                           : flowdump::to_text(event, o.community_seed);
            text += '\n';
        }
        if (const auto failure = co_await out.write(text)) {
            co_return failure;
        }
        left -= n;
    }
    co_return ctflow::error_code();
}

// Stops the probe at the first of these. What is in flight still reaches the consumer, which then
// closes.
asio::awaitable<void> stop_when_told(ctflow::probe& probe, asio::signal_set& signals,
                                     asio::steady_timer& timer) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    co_await (signals.async_wait(token) || timer.async_wait(token));
    signals.clear();                // A second signal does what it does to any program.
    ctflow::error_code not_started; // If it has stopped by itself.
    probe.stop(not_started);
}

void apply_sysctls() {
    ctflow::error_code ec;
    ctflow::diagnostics diag;
    for (const auto& change : ctflow::apply_sysctls(ec, diag)) {
        complain(change.name + " was " + change.from + ", is " + change.to + " now");
    }
    if (ec) {
        throw ctflow::system_error(ec, diag + "; --no-sysctl leaves sysctls alone");
    }
}

void report(const ctflow::probe_stats& p, const ctflow::consumer_stats& c, const options& o) {
    if (const auto losses = flowdump::describe_losses(p, c); !losses.empty()) {
        complain(losses);
    }
    if (o.stats) {
        std::fputs((flowdump::stats_json(p, c) + '\n').c_str(), stderr);
    }
}

// @param started  becomes true when nothing about the host is in the way any more
asio::awaitable<void> run(const options& o, bool& started) {
    const auto executor = co_await asio::this_coro::executor;
    ctflow::probe probe(executor, o.config);
    if (o.sysctl) {
        apply_sysctls();
    }
    ctflow::consumer consumer(executor, "flowdump", o.mode, o.queue);
    probe.register_consumer(consumer);

    asio::signal_set signals(executor, SIGINT, SIGTERM);
    asio::steady_timer timer(executor);

    probe.start();
    started = true;
    for (const auto& better : probe.kernel().refused) {
        complain(flowdump::describe(better));
    }
    if (o.config.processes && probe.kernel().attach == ctflow::attach_mode::netfilter) {
        complain("--processes: by netfilter's hooks nobody can tell, so no flow shows one");
    }
    complain("ready (" + flowdump::describe(probe.kernel()) + ")");
    timer.expires_after(o.duration.value_or(std::chrono::nanoseconds::max()));
    const auto print = [&]() -> asio::awaitable<ctflow::error_code> {
        const auto failure = co_await print_events(consumer, o);
        timer.cancel(); // There is nothing left to wait for.
        co_return failure;
    };
    const auto failure = co_await (probe.async_run(asio::use_awaitable) && print() &&
                                   stop_when_told(probe, signals, timer));
    report(probe.stats(), consumer.stats(), o);
    if (failure && failure != boost::system::errc::broken_pipe) {
        throw ctflow::system_error(failure, "standard output");
    }
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN); // Then a write says so, and what is left to do is done.
    const auto parsed = flowdump::parse({argv + 1, argv + argc});
    if (const auto* error = std::get_if<std::string>(&parsed)) {
        complain(*error + "\nTry 'flowdump --help'.");
        return 2;
    }
    const auto& o = std::get<options>(parsed);
    bool started = true;
    try {
        if (o.help || o.version) {
            const char* const version = "flowdump " CTFLOW_VERSION_STRING "\n";
            return std::fputs(o.help ? flowdump::usage : version, stdout) < 0 ||
                   std::fflush(stdout) != 0;
        }
        if (o.check) {
            return flowdump::check(o, std::cout);
        }
        started = false;
        asio::io_context context(1);
        asio::co_spawn(context, run(o, started), [](const std::exception_ptr& failure) {
            if (failure) {
                std::rethrow_exception(failure);
            }
        });
        context.run();
        return 0;
    } catch (const std::exception& e) {
        complain(e.what());
        if (!started) {
            complain("'flowdump --check' tells what is in the way, and what mends it");
        }
        return 1;
    }
}
