// SPDX-License-Identifier: Apache-2.0
//
// conntrack's module is unloaded under a probe.
#include "support/netns.hpp"
#include "vm/watch.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;

namespace {

bool run(const std::string& command) {
    return std::system((command + " 2>/dev/null").c_str()) == 0;
}

// Those of a namespace that is gone may hold a module for a while.
bool unload(const std::string& module) {
    for (int i = 0; i < 100; ++i) {
        if (run("rmmod " + module)) {
            return true;
        }
        std::this_thread::sleep_for(100ms);
    }
    return false;
}

// What run-suites loads besides, and what is in the way.
void unload_others() {
    for (const char* each : {"nft_ct", "nf_conntrack_netlink"}) {
        BOOST_TEST(unload(each));
    }
}

// Has conntrack follow what is sent, and count.
void track() {
    BOOST_REQUIRE(run("sysctl -qw net.netfilter.nf_conntrack_acct=1"));
    BOOST_REQUIRE(run("nft 'table inet t { chain c { type filter hook output priority 0; ct state "
                      "new; }; }'"));
}

bool ping_is_seen(ctflow::consumer& c, boost::asio::io_context& ctx) {
    const auto before = c.stats().events_received;
    run("ping -c 1 127.0.0.1 >/dev/null");
    ctx.restart();
    ctx.run_for(300ms);
    return c.stats().events_received > before;
}

} // namespace

BOOST_AUTO_TEST_SUITE(unloading)

BOOST_AUTO_TEST_CASE(is_told_or_cannot_be) {
    const bool traced = attach_under_test() != attach_mode::netfilter;
    const std::string module = traced ? "nf_conntrack" : "nf_conntrack_netlink";
    track();
    watch w;
    BOOST_TEST(ping_is_seen(w.consumer, w.ctx));
    BOOST_REQUIRE(run("nft delete table inet t"));
    if (traced) {
        unload_others();
    }
    if (attach_under_test() == attach_mode::fentry) {
        BOOST_TEST(!run("rmmod nf_conntrack")); // A program at its functions holds it.
        BOOST_TEST(!w.run_result.has_value());
        return; // That it is so on every kernel is a promise of the documentation's.
    }
    BOOST_REQUIRE(unload(module));
    w.until("the end of the run", [&] { return w.run_result.has_value(); });
    BOOST_TEST((w.run_result == errc::conntrack_unloaded));
    BOOST_TEST_MESSAGE(w.run_result.value().message());

    // Whoever runs it again is told again.
    w.run_result.reset();
    w.probe.async_run([&](error_code ec) { w.run_result = ec; });
    w.until("the end of that", [&] { return w.run_result.has_value(); });
    BOOST_TEST((w.run_result == errc::conntrack_unloaded));

    // Loading it does not bring the probe back; starting it anew does.
    for (const char* each : {"nf_conntrack", "nf_conntrack_netlink", "nft_ct"}) {
        BOOST_TEST(run(std::string("modprobe ") + each));
    }
    track();
    if (traced) {
        BOOST_TEST(!ping_is_seen(w.consumer, w.ctx));
    }
    w.probe.stop();
    ctflow::consumer again(w.ctx, "again");
    w.probe.register_consumer(again);
    w.probe.start();
    w.run_result.reset();
    w.probe.async_run([&](error_code ec) { w.run_result = ec; });
    BOOST_TEST(ping_is_seen(again, w.ctx));
    BOOST_TEST(!w.run_result.has_value());
    w.probe.stop();
    w.ctx.restart();
    w.ctx.run();
    BOOST_TEST(!w.run_result.value());
    BOOST_TEST(run("nft delete table inet t"));
}

BOOST_AUTO_TEST_SUITE_END()
