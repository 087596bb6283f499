// SPDX-License-Identifier: Apache-2.0
//
// Probes in several processes, and processes that fork, execute and are killed.
#include "support/netns.hpp"
#include "support/resources.hpp"
#include "vm/watch.hpp"
#include "vm/world.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;

namespace {

void require(bool success, const char* what) {
    if (!success) {
        throw std::system_error(errno, std::generic_category(), what);
    }
}

// A process that has a probe in the network namespace of its parent, and tells it of each event
// there, by the flow's address. It ends when it is killed.
class other_process {
public:
    explicit other_process(std::uint32_t netns = 0) {
        std::array<int, 2> ends{};
        require(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0, "pipe2");
        child_ = ::fork();
        require(child_ >= 0, "fork");
        if (child_ == 0) {
            observe(ends[1], netns);
        }
        ::close(ends[1]);
        from_ = ends[0];
        BOOST_REQUIRE(next() == ready);
    }
    ~other_process() {
        kill();
        ::close(from_);
    }
    other_process(const other_process&) = delete;
    other_process& operator=(const other_process&) = delete;

    // Of the next event, within a time that is longer than it can take.
    std::uint64_t next() const {
        std::uint64_t value = 0;
        for (int i = 0; i < 1200; ++i) {
            if (::read(from_, &value, sizeof(value)) == sizeof(value)) {
                return value;
            }
            ::usleep(50'000);
        }
        return 0;
    }

    void kill() {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
            child_ = -1;
        }
    }

private:
    static constexpr std::uint64_t ready = 1;

    [[noreturn]] static void observe(int to, std::uint32_t netns) {
        try {
            boost::asio::io_context ctx;
            ctflow::probe probe(ctx, config_under_test());
            ctflow::consumer consumer(ctx, "other");
            probe.register_consumer(consumer);
            probe.start();
            probe.async_run([](error_code) { ::_exit(2); });
            tell(to, ready);
            std::function<void()> receive = [&] {
                consumer.async_receive([&](error_code ec, const event& e) {
                    if (ec) {
                        ::_exit(3);
                    }
                    if (e.netns() == netns) {
                        tell(to, e.conntrack());
                    }
                    receive();
                });
            };
            receive();
            ctx.run();
        } catch (...) { // NOLINT(bugprone-empty-catch): the parent sees that nothing comes.
        }
        ::_exit(1);
    }

    static void tell(int to, std::uint64_t number) {
        if (::write(to, &number, sizeof(number)) != sizeof(number)) {
            ::_exit(4);
        }
    }

    pid_t child_ = -1;
    int from_ = -1;
};

std::string output_of(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    std::string all;
    std::array<char, 256> some{};
    while (std::fgets(some.data(), some.size(), pipe.get()) != nullptr) {
        all += some.data();
    }
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(processes)

BOOST_AUTO_TEST_CASE(of_one_that_is_killed_nothing_is_left_in_the_kernel) {
    settle(resources::at_first());
    other_process other;
    const auto during = resources::now();
    BOOST_TEST(during.programs > resources::at_first().programs);
    other.kill();
    settle(resources::at_first());
    check_same_in_kernel(resources::at_first(), resources::now());
    if (attach_under_test() == attach_mode::kprobe) {
        BOOST_TEST(output_of("cat /sys/kernel/debug/kprobes/list") == "");
    }
}

BOOST_AUTO_TEST_CASE(two_see_the_same_and_one_outlives_the_other) {
    const netns ns("ctflow-two");
    const netns::inside in(ns);
    other_process other(ns.inode());
    watch w;
    ns.run("ping -c 1 127.0.0.1");
    const auto seen = other.next();
    w.until("what the other has seen",
            [&] { return w.count([&](const event& e) { return e.conntrack() == seen; }) != 0; });
    other.kill();
    const auto before = w.events.size();
    ns.run("ping -c 1 127.0.0.1");
    w.until("events after the other's end", [&] { return w.events.size() > before; });
    check_nothing_lost(w);
}

BOOST_AUTO_TEST_CASE(one_process_may_have_two_probes) {
    const netns ns("ctflow-both");
    const netns::inside in(ns);
    watch a;
    {
        watch b;
        ns.run("ping -c 1 127.0.0.1");
        b.until("an event", [&] { return !b.events.empty(); });
        a.until("the same", [&] {
            return a.count([&](const event& e) {
                return e.conntrack() == b.events.front().conntrack();
            }) != 0;
        });
    }
    const auto before = a.events.size();
    ns.run("ping -c 1 127.0.0.1");
    a.until("events after the other's end", [&] { return a.events.size() > before; });
}

// Servers start programs. Those have nothing of the probe, and take nothing from it.
BOOST_AUTO_TEST_CASE(what_is_forked_and_executed_inherits_nothing) {
    const netns ns("ctflow-fork");
    const netns::inside in(ns);
    watch w;
    const auto inherited = output_of("ls -l /proc/self/fd");
    BOOST_TEST(inherited.find("bpf") == std::string::npos);
    BOOST_TEST(inherited.find("perf") == std::string::npos);
    BOOST_TEST(inherited.find("socket:") == std::string::npos);
    for (int i = 0; i < 5; ++i) {
        const auto child = ::fork();
        if (child == 0) {
            ::_exit(0);
        }
        ::waitpid(child, nullptr, 0);
        const auto before = w.events.size();
        ns.run("ping -c 1 127.0.0.1");
        w.until("an event", [&] { return w.events.size() > before; });
    }
    w.stop();
    BOOST_TEST(!w.run_result.value());
    settle(resources::at_first());
    BOOST_TEST(resources::now().links == resources::at_first().links);
}

BOOST_AUTO_TEST_SUITE_END()
