// SPDX-License-Identifier: Apache-2.0
//
// A probe that could not be made answers whatever it is asked.
#include <ctflow/consumer.hpp>
#include <ctflow/probe.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <optional>
#include <utility>

namespace asio = boost::asio;
using namespace ctflow;
using namespace std::chrono_literals;

namespace {

// Refused before the kernel is asked for anything.
config impossible() {
    config c;
    c.curve0.age = 1h;
    return c;
}

error_code result_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const ctflow::system_error& e) {
        return e.code();
    }
    return {};
}

} // namespace

BOOST_AUTO_TEST_SUITE(failed_probe)

BOOST_AUTO_TEST_CASE(its_construction_fails_in_each_form) {
    asio::io_context ctx;
    const probe::executor_type executor = ctx.get_executor();
    BOOST_TEST((result_of([&] { probe(ctx, impossible()); }) == errc::curve0_age));
    BOOST_TEST((result_of([&] { probe(executor, impossible()); }) == errc::curve0_age));
    error_code ec;
    const probe with_code(ctx, impossible(), ec);
    BOOST_TEST((ec == errc::curve0_age));
    ec.clear();
    diagnostics diag = "of before";
    const probe with_text(executor, impossible(), ec, diag);
    BOOST_TEST((ec == errc::curve0_age));
    BOOST_TEST(diag.empty());
}

BOOST_AUTO_TEST_CASE(every_call_is_answered_with_the_reason) {
    asio::io_context ctx;
    error_code ec;
    probe p(ctx, impossible(), ec);
    consumer c(ctx, "c");
    BOOST_TEST((result_of([&] { p.register_consumer(c); }) == errc::curve0_age));
    BOOST_TEST((result_of([&] { p.remove_consumer(c); }) == errc::curve0_age));
    BOOST_TEST((result_of([&] { p.remove_consumer("c"); }) == errc::curve0_age));
    BOOST_TEST((result_of([&] { p.start(); }) == errc::curve0_age));
    BOOST_TEST((result_of([&] { p.stop(); }) == errc::curve0_age));
    BOOST_TEST(!p.get_consumer("c").has_value());
    BOOST_TEST(p.kernel().hooks.empty());
    BOOST_TEST(p.stats().perf_events_total == 0U);
}

BOOST_AUTO_TEST_CASE(a_run_completes_with_the_reason_and_not_at_once) {
    asio::io_context ctx;
    error_code ec;
    probe p(ctx, impossible(), ec);
    std::optional<error_code> run;
    p.async_run([&](error_code e) { run = e; });
    BOOST_TEST(!run.has_value());
    ctx.run();
    BOOST_TEST((run == errc::curve0_age));
}

BOOST_AUTO_TEST_CASE(it_can_be_moved_and_replaced) {
    asio::io_context ctx;
    error_code ec;
    probe p(ctx, impossible(), ec);
    probe moved(std::move(p));
    BOOST_TEST((result_of([&] { moved.start(); }) == errc::curve0_age));
    config c;
    c.curve1.age = 10h;
    moved = probe(ctx, c, ec);
    BOOST_TEST((result_of([&] { moved.start(); }) == errc::curve1_age));
    auto& same = moved;
    moved = std::move(same);
    BOOST_TEST((result_of([&] { moved.start(); }) == errc::curve1_age));
}

BOOST_AUTO_TEST_SUITE_END()
