// SPDX-License-Identifier: Apache-2.0
//
// A perf_buffer of any program, while CPUs go offline and come online. Wants four of them.
#include "support/cpus.hpp"
#include "support/sender.hpp"

#include <ctflow/perf_buffer.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t cpus = 4;

// Receives all the time, from CPUs that are all online at first and at last.
struct machine {
    machine() { stay_on_cpu(0); }
    ~machine() {
        stay_on_cpu(0);
        for (std::size_t cpu = 1; cpu < cpus; ++cpu) {
            set_online(cpu, true);
        }
    }

    void open() {
        buffer.emplace(ctx, source.fd());
        receive();
    }

    void receive() {
        buffer->async_receive(out, [this](error_code ec, std::size_t n) {
            if (ec) {
                failure = ec;
                return;
            }
            for (std::size_t i = 0; i < n; ++i) {
                received.push_back(out[i].cpu);
            }
            receive();
        });
    }

    std::size_t idle(std::chrono::milliseconds time) {
        ctx.restart();
        return ctx.run_for(time);
    }

    // A message that is sent there comes.
    void check_message_of(unsigned cpu) {
        BOOST_TEST_CONTEXT("CPU " << cpu) {
            received.clear();
            stay_on_cpu(cpu);
            BOOST_TEST(source.send(1) == 1U);
            stay_on_cpu(0);
            for (int i = 0; i < 100 && received.empty(); ++i) {
                idle(10ms);
            }
            BOOST_TEST(received == std::vector<std::size_t>{cpu}, boost::test_tools::per_element());
            BOOST_TEST(!failure);
        }
    }

    asio::io_context ctx;
    sender source{sender::way::perf};
    std::optional<perf_buffer> buffer;
    std::array<perf_record, 16> out;
    std::vector<std::size_t> received; // The CPUs of the messages.
    error_code failure;
};

} // namespace

BOOST_AUTO_TEST_SUITE(buffers_hotplug)

BOOST_FIXTURE_TEST_CASE(cpus_that_come_online_have_their_ring_within_a_second, machine) {
    set_online(1, false); // So that the numbers of those that are there leave one out.
    set_online(3, false);
    open();
    check_message_of(0);
    check_message_of(2);
    for (const unsigned cpu : {3U, 1U}) {
        set_online(cpu, true);
        idle(500ms);
        check_message_of(cpu);
    }
}

BOOST_FIXTURE_TEST_CASE(what_a_cpu_leaves_comes_and_it_comes_back, machine) {
    open();
    for (int round = 0; round < 3; ++round) {
        for (unsigned cpu = 1; cpu < cpus; ++cpu) {
            received.clear();
            stay_on_cpu(cpu);
            BOOST_TEST(source.send(3) == 3U);
            stay_on_cpu(0);
            set_online(cpu, false);
            set_online(cpu, true);
            idle(500ms);
            BOOST_TEST(received == std::vector<std::size_t>(3, cpu),
                       boost::test_tools::per_element());
            check_message_of(cpu);
        }
    }
    BOOST_TEST(buffer->stats().lost == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_ring_that_comes_while_all_are_paused_is_paused, machine) {
    set_online(2, false);
    open();
    error_code ec;
    buffer->pause(ec);
    BOOST_TEST(!ec);
    set_online(2, true);
    idle(500ms);
    stay_on_cpu(2);
    BOOST_TEST(source.send(1) == 0U);
    buffer->resume(ec);
    BOOST_TEST(!ec);
    check_message_of(2);
}

BOOST_FIXTURE_TEST_CASE(nothing_turns_in_circles_when_a_cpu_is_gone, machine) {
    open();
    for (std::size_t cpu = 1; cpu < cpus; ++cpu) {
        set_online(cpu, false);
    }
    idle(200ms);
    BOOST_TEST(idle(1s) < 50U);
    check_message_of(0);
}

BOOST_AUTO_TEST_SUITE_END()
