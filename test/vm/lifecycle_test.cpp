// SPDX-License-Identifier: Apache-2.0
//
// Starting, stopping, registering, destroying: with the BPF program really attached.
#include "support/netns.hpp"
#include "support/resources.hpp"
#include "vm/watch.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using asio::ip::make_address;
using asio::ip::udp;

namespace {

error_code result_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const ctflow::system_error& e) {
        return e.code();
    }
    return {};
}

int cycles() {
    const char* value = std::getenv("CTFLOW_CYCLES");
    return value != nullptr && *value != 0 ? std::atoi(value) : 1000;
}

} // namespace

BOOST_AUTO_TEST_SUITE(lifecycle)

BOOST_AUTO_TEST_CASE(the_kernel_says_how_it_is_hooked) {
    asio::io_context ctx;
    const probe p(ctx, config_under_test());
    BOOST_TEST((p.kernel().attach == attach_under_test()));
    BOOST_TEST(p.kernel().release.find('.') != std::string::npos);
    const bool traced = attach_under_test() == attach_mode::fentry;
    BOOST_REQUIRE_EQUAL(p.kernel().hooks.size(),
                        traced ? 6U : 5U); // Two tell evictions; fentry has two for the end.
    BOOST_TEST(p.kernel().hooks[1].attach == (traced ? "fexit" : "kprobe+kretprobe"));
}

BOOST_AUTO_TEST_CASE(what_is_done_twice_or_out_of_order_is_an_error) {
    asio::io_context ctx;
    probe p(ctx, config_under_test());
    BOOST_TEST((result_of([&] { p.stop(); }) == errc::not_started));

    std::optional<error_code> run;
    p.async_run([&](error_code ec) { run = ec; });
    ctx.run();
    BOOST_TEST((run == errc::not_started));

    p.start();
    BOOST_TEST((result_of([&] { p.start(); }) == errc::already_started));
    std::optional<error_code> first;
    std::optional<error_code> second;
    p.async_run([&](error_code ec) { first = ec; });
    p.async_run([&](error_code ec) { second = ec; });
    ctx.restart();
    ctx.poll();
    BOOST_TEST((second == errc::already_running));
    BOOST_TEST(!first.has_value());

    p.stop();
    BOOST_TEST((result_of([&] { p.stop(); }) == errc::not_started));
    // The rest of stop() is the context's to do.
    BOOST_TEST((result_of([&] { p.start(); }) == errc::stopping));
    ctx.restart();
    ctx.run();
    BOOST_TEST(!first.value());
    BOOST_TEST(!result_of([&] { p.start(); }));
    p.stop();
}

BOOST_AUTO_TEST_CASE(consumers_come_and_go_by_name) {
    asio::io_context ctx;
    probe p(ctx, config_under_test());
    probe other(ctx, config_under_test());
    consumer a(ctx, "a");
    consumer namesake(ctx, "a");

    p.register_consumer(a);
    BOOST_TEST((result_of([&] { p.register_consumer(namesake); }) == errc::duplicate_consumer));
    BOOST_TEST((result_of([&] { p.register_consumer(a); }) == errc::consumer_registered));
    BOOST_TEST((result_of([&] { other.register_consumer(a); }) == errc::consumer_registered));
    BOOST_TEST(p.get_consumer("a")->name() == "a");
    BOOST_TEST(!p.get_consumer("b").has_value());
    BOOST_TEST((result_of([&] { p.remove_consumer(namesake); }) == errc::unknown_consumer));
    BOOST_TEST((result_of([&] { p.remove_consumer("b"); }) == errc::unknown_consumer));
    try {
        p.remove_consumer("b");
    } catch (const ctflow::system_error& e) {
        BOOST_TEST(std::string(e.what()).ends_with("(b)")); // It names the one that is unknown.
    }
    p.remove_consumer(a);
    BOOST_TEST((result_of([&] { p.register_consumer(a); }) == errc::consumer_closed));
    p.register_consumer(namesake);
}

BOOST_AUTO_TEST_CASE(a_stopped_probe_starts_again_and_has_forgotten_its_flows) {
    const netns ns("ctflow-again");
    asio::io_context ctx;
    const netns::inside in(ns);
    udp::socket from(ctx, udp::endpoint(make_address("127.0.0.1"), 1201));
    const udp::socket to(ctx, udp::endpoint(make_address("127.0.0.1"), 2201));
    config c = config_under_test();
    c.curve0.rate = 1h;
    c.curve1 = {2h, 1h};
    c.curve2 = {3h, 1h};
    probe p(ctx, c);
    for (int round = 0; round < 3; ++round) {
        consumer consumer(ctx, "again");
        p.register_consumer(consumer);
        p.start();
        from.send_to(asio::buffer("x", 1), to.local_endpoint());
        p.stop(); // No run is outstanding: this reads and closes here.
        std::array<event, 64> out;
        std::size_t mine = 0;
        for (std::size_t n = 0; (n = consumer.try_receive(out)) != 0;) {
            for (std::size_t i = 0; i < n; ++i) {
                mine += out[i].src_port() == 1201 ? 1 : 0;
            }
        }
        // Had the second start found the flow in its table, it would have been in cooldown.
        BOOST_TEST(mine == 1U);
        BOOST_TEST((result_of([&] { p.register_consumer(consumer); }) == errc::consumer_closed));
    }
}

BOOST_AUTO_TEST_CASE(a_probe_destroyed_under_a_run_and_a_receive_completes_both) {
    asio::io_context ctx;
    consumer c(ctx, "pending");
    std::array<event, 8> out;
    std::optional<error_code> run;
    std::optional<error_code> receive;
    {
        probe p(ctx, config_under_test());
        p.register_consumer(c);
        p.start();
        p.async_run([&](error_code ec) { run = ec; });
        c.async_receive(out, [&](error_code ec, std::size_t) { receive = ec; });
        ctx.poll();
    }
    BOOST_TEST(!run.has_value());
    ctx.restart();
    ctx.run();
    BOOST_TEST((run == asio::error::operation_aborted));
    BOOST_TEST((receive == errc::consumer_closed || receive == error_code()));
}

BOOST_AUTO_TEST_CASE(what_was_in_flight_at_stop_arrives_even_if_the_probe_is_destroyed) {
    const netns ns("ctflow-flight");
    asio::io_context ctx;
    consumer c(ctx, "c");
    std::optional<error_code> run;
    {
        probe p(ctx, config_under_test());
        p.register_consumer(c);
        p.start();
        p.async_run([&](error_code ec) { run = ec; });
        ctx.poll();
        ns.run("ping -c 1 127.0.0.1"); // While nobody runs the context.
        p.stop();
    }
    ctx.restart();
    ctx.run();
    BOOST_TEST(!run.value());
    BOOST_TEST(c.stats().events_received > 0U);
    std::array<event, 8> out;
    BOOST_TEST(c.try_receive(out) > 0U);
    std::optional<error_code> receive;
    c.async_receive(out, [&](error_code ec, std::size_t) { receive = ec; });
    ctx.restart();
    ctx.run();
    BOOST_TEST((receive == errc::consumer_closed));
}

BOOST_AUTO_TEST_CASE(a_probe_that_is_replaced_does_no_harm_to_its_successor) {
    const netns ns("ctflow-next");
    asio::io_context ctx;
    consumer c(ctx, "c");
    std::optional<probe> p(std::in_place, ctx, config_under_test());
    p->start();
    p->async_run([](error_code) {});
    ctx.poll();
    // What is left of the first lives until the context runs; the second has the descriptors that
    // were the first's.
    p.reset();
    p.emplace(ctx, config_under_test());
    p->register_consumer(c);
    p->start();
    p->async_run([](error_code) {});
    ctx.restart();
    ctx.poll();
    ns.run("ping -c 1 127.0.0.1");
    ctx.restart();
    ctx.run_for(200ms);
    BOOST_TEST(c.stats().events_received > 0U);
    BOOST_TEST(p->stats().perf_events_update_lost == 0U);
}

BOOST_AUTO_TEST_CASE(a_consumer_cannot_join_a_probe_that_is_still_stopping) {
    asio::io_context ctx;
    probe p(ctx, config_under_test());
    p.start();
    p.async_run([](error_code) {});
    ctx.poll();
    p.stop();
    consumer c(ctx, "c");
    BOOST_TEST((result_of([&] { p.register_consumer(c); }) == errc::stopping));
    ctx.restart();
    ctx.run();
    p.register_consumer(c);
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_before_the_probe_is_through_closes_its_consumers) {
    asio::io_context others;
    consumer c(others, "c");
    std::array<event, 8> out;
    std::optional<error_code> receive;
    {
        asio::io_context ctx;
        probe p(ctx, config_under_test());
        p.register_consumer(c);
        p.start();
        p.async_run([](error_code) {});
        ctx.poll();
        c.async_receive(out, [&](error_code ec, std::size_t) { receive = ec; });
    }
    others.run(); // Would not return if the receive were left waiting.
    BOOST_TEST((receive == errc::consumer_closed));
}

BOOST_AUTO_TEST_CASE(other_threads_register_ask_and_stop_while_it_runs) {
    const netns ns("ctflow-threads");
    const netns::inside here(ns); // All that netfilter's hooks see.
    asio::io_context ctx;
    probe p(ctx, config_under_test());
    p.start();
    std::optional<error_code> run;
    p.async_run([&](error_code ec) { run = ec; });
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] { ctx.run(); });
    }
    std::thread traffic([] { // A flow each.
        asio::io_context none;
        for (int i = 0; i < 20; ++i) {
            udp::socket(none, udp::v4())
                .send_to(asio::buffer("datagram"), {make_address("127.0.0.1"), 9});
            std::this_thread::sleep_for(20ms);
        }
    });
    for (int i = 0; i < 200; ++i) {
        consumer c(ctx, "passing");
        p.register_consumer(c);
        (void)p.get_consumer("passing");
        (void)p.stats();
        if (i % 2 == 0) {
            p.remove_consumer(c);
        }
    }
    traffic.join();
    p.stop();
    for (auto& t : threads) {
        t.join();
    }
    BOOST_TEST(!run.value());
    BOOST_TEST(p.stats().perf_events_total != 0U);
}

BOOST_AUTO_TEST_CASE(a_probe_destroyed_before_it_ever_started_closes_its_consumers) {
    asio::io_context ctx;
    consumer c(ctx, "pending");
    std::optional<error_code> receive;
    std::array<event, 8> out;
    {
        probe p(ctx, config_under_test());
        p.register_consumer(c);
        c.async_receive(out, [&](error_code ec, std::size_t) { receive = ec; });
    }
    ctx.run();
    BOOST_TEST((receive == errc::consumer_closed));
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_leaves_the_probe_attached) {
    const netns ns("ctflow-cancel");
    asio::io_context ctx;
    probe p(ctx, config_under_test());
    consumer c(ctx, "c");
    p.register_consumer(c);
    p.start();
    asio::cancellation_signal signal;
    std::optional<error_code> run;
    p.async_run(asio::bind_cancellation_slot(signal.slot(), [&](error_code ec) { run = ec; }));
    ctx.poll();
    signal.emit(asio::cancellation_type::terminal);
    ctx.run();
    BOOST_TEST((run == asio::error::operation_aborted));

    ns.run("ping -c 1 127.0.0.1"); // While nobody reads.
    p.async_run([&](error_code ec) { run = ec; });
    ctx.restart();
    ctx.run_for(200ms);
    BOOST_TEST(c.stats().events_received > 0U);
    p.stop();
    ctx.restart();
    ctx.run();
    BOOST_TEST(!run.value());
}

BOOST_AUTO_TEST_CASE(a_moved_probe_goes_on) {
    asio::io_context ctx;
    probe p(ctx, config_under_test());
    p.start();
    std::optional<error_code> run;
    p.async_run([&](error_code ec) { run = ec; });
    ctx.poll();
    probe moved(std::move(p));
    ctx.restart();
    ctx.poll();
    BOOST_TEST(!run.has_value());
    moved.stop();
    ctx.restart();
    ctx.run();
    BOOST_TEST(!run.value());
}

// Cycles of a probe that is started and stopped, with a run, a consumer and a receive in each.
BOOST_AUTO_TEST_CASE(start_and_stop_leak_nothing) {
    asio::io_context ctx;
    settle(resources::at_first());
    {
        probe p(ctx, config_under_test());
        auto before = resources::now();
        for (int i = -20; i < cycles(); ++i) { // The first ones warm up.
            if (i == 0) {
                const auto now = resources::now();
                before.descriptors = now.descriptors;
                before.heap_kb = now.heap_kb;
            }
            consumer c(ctx, "cycle");
            p.register_consumer(c);
            p.start();
            std::optional<error_code> run;
            p.async_run([&](error_code ec) { run = ec; });
            std::array<event, 8> out;
            c.async_receive(out, [](error_code, std::size_t) {});
            ctx.restart();
            ctx.poll();
            p.stop();
            ctx.restart();
            ctx.run();
            BOOST_REQUIRE(!run.value());
        }
        settle(before);
        const auto after = resources::now();
        check_same(before, after);
        BOOST_TEST_MESSAGE(cycles() << " start/stop cycles: heap " << before.heap_kb
                                    << " kB before, " << after.heap_kb << " kB after");
        check_memory(before, after, 2048);
    }
    settle(resources::at_first());
    const auto at_end = resources::now();
    check_same_in_kernel(resources::at_first(), at_end);
}

BOOST_AUTO_TEST_CASE(construction_and_destruction_leak_nothing) {
    asio::io_context ctx;
    resources before{};
    const int rounds = std::max(2, cycles() / 20);
    for (int i = -3; i < rounds; ++i) {
        if (i == 0) {
            settle(resources::at_first());
            before = resources::now();
        }
        probe p(ctx, config_under_test());
        p.start();
        if (i % 2 == 0) {
            p.stop();
        }
        ctx.restart();
        ctx.poll();
    }
    settle(before);
    const auto after = resources::now();
    check_same(before, after);
    BOOST_TEST_MESSAGE(rounds << " probes: heap " << before.heap_kb << " kB before, "
                              << after.heap_kb << " kB after");
    check_memory(before, after, 2048);
}

BOOST_AUTO_TEST_SUITE_END()
