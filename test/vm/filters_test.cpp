// SPDX-License-Identifier: Apache-2.0
//
// Flows that a filter refuses have no events, until it does not.
#include "support/conntrack_insert.hpp"
#include "vm/watch.hpp"
#include "vm/world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <set>

#include <netinet/in.h>

namespace asio = boost::asio;
using boost::asio::ip::make_address;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;

namespace {

// A flow from 192.0.2.1 to 192.0.2.2.
ctflow_filter_subject udp_subject(std::uint16_t src_port, std::uint16_t dst_port) {
    ctflow_filter_subject s{};
    const auto src = make_address("192.0.2.1").to_v4().to_bytes();
    const auto dst = make_address("192.0.2.2").to_v4().to_bytes();
    std::memcpy(s.src_addr, src.data(), src.size());
    std::memcpy(s.dst_addr, dst.data(), dst.size());
    s.src_port = src_port;
    s.dst_port = dst_port;
    s.proto = IPPROTO_UDP;
    s.family = CTFLOW_FAMILY_IPV4;
    return s;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(filters, world)

BOOST_AUTO_TEST_CASE(a_flow_that_is_refused_has_no_event) {
    watch w(every_packet("dst port 4242"));
    auto client = bind_udp(net.a, "192.0.2.1", 1001);
    auto wanted = bind_udp(net.b, "192.0.2.2", 4242);
    auto unwanted = bind_udp(net.b, "192.0.2.2", 5353);
    exchange(client, unwanted);
    exchange(client, wanted);
    check_destroy(w, net.a, from_port(1001), "-p udp --dport 4242");
    net.a.run("conntrack -D -p udp --dport 5353");
    w.idle(300ms);
    BOOST_TEST(w.count(to_port(5353)) == 0U);
    const auto updates = to_port(4242) && of_kind(event_kind::update);
    BOOST_TEST(w.count(in_netns(net.a.inode()) && updates) == 5U);
    BOOST_TEST(w.count(in_netns(net.b.inode()) && updates) == 5U);
    w.stop();
    check_nothing_lost(w);
}

BOOST_AUTO_TEST_CASE(a_refused_flow_speaks_again_when_the_filter_lets_it) {
    watch w(every_packet("not dst port 4242"));
    auto client = bind_udp(net.a, "192.0.2.1", 1001);
    auto server = bind_udp(net.b, "192.0.2.2", 4242);
    const auto mine = in_netns(net.a.inode()) && from_port(1001);
    for (int i = 0; i < 3; ++i) { // What is refused is remembered of each flow.
        send(client, server, 100);
        send(client, server, 100);
        w.idle(100ms);
        BOOST_TEST(w.count(mine) == 0U);
        w.set_filter(ctflow::filter::parse("dst port 4242"));
        send(client, server, 100);
        w.until("an update", [&] { return w.count(mine) == 1; });
        BOOST_TEST(w.select(mine)[0].packets_orig() == 3U * static_cast<unsigned>(i) + 3U);
        w.set_filter(ctflow::filter::parse("not dst port 4242"));
        w.events.clear();
    }
    w.set_filter(ctflow::filter());
    check_destroy(w, net.a, from_port(1001), "-p udp --dport 4242");
    w.stop();
}

BOOST_AUTO_TEST_CASE(counters_and_age_are_asked_for_again) {
    watch w(every_packet("packets >= 3 or (dst port 5353 and age >= 1s)"));
    auto client = bind_udp(net.a, "192.0.2.1", 1001);
    auto counted = bind_udp(net.b, "192.0.2.2", 4242);
    auto aged = bind_udp(net.b, "192.0.2.2", 5353);
    const auto to = [&](std::uint16_t port) {
        return in_netns(net.a.inode()) && of_kind(event_kind::update) && to_port(port);
    };
    send(client, counted, 100);
    send(client, aged, 100);
    w.idle(100ms);
    BOOST_TEST(w.count(to(4242)) == 0U);
    BOOST_TEST(w.count(to(5353)) == 0U);
    w.idle(1500ms); // Once a second, by the kernel's tick.
    send(client, aged, 100);
    send(client, counted, 100);
    send(client, counted, 100);
    w.until("the older one", [&] { return w.count(to(5353)) == 1; });
    w.idle(1500ms);
    send(client, counted, 100);
    w.until("the larger one", [&] { return w.count(to(4242)) >= 1; });
    // At the end too, with what there is by then.
    auto small = bind_udp(net.b, "192.0.2.2", 9999);
    send(client, small, 100);
    send(client, small, 100);
    send(client, small, 100);
    net.a.run("conntrack -D -p udp --dport 9999");
    only_destroy(w, in_netns(net.a.inode()) && to_port(9999));
    w.stop();
}

// The kernel uses the address of a flow again, and who puts one into the table by ctnetlink has
// confirmed it before its first packet.
BOOST_AUTO_TEST_CASE(no_flow_is_silent_for_another_that_was_refused) {
    constexpr std::uint16_t flows = 500;
    constexpr std::uint16_t unwanted = 10000; // The first port.
    constexpr std::uint16_t wanted = 20000;
    watch w(every_packet("dst port 20000-20499"));
    auto client = bind_udp(net.a, "192.0.2.1", 1001);
    const auto send_all = [&](std::uint16_t first) {
        for (std::uint16_t i = 0; i < flows; ++i) {
            const auto port = static_cast<std::uint16_t>(first + i);
            client.send_to(asio::buffer("x", 1), {make_address("192.0.2.2"), port});
        }
    };
    send_all(unwanted);
    w.idle(100ms);
    net.a.run("conntrack -F");
    conntrack_insert insert(net.a);
    for (std::uint16_t i = 0; i < flows; ++i) {
        insert(udp_subject(1001, static_cast<std::uint16_t>(wanted + i)));
    }
    std::set<std::uint16_t> seen;
    for (int round = 0; round < 60 && seen.size() < flows; ++round) {
        send_all(wanted);
        w.idle(500ms);
        for (const auto& e : w.select(in_netns(net.a.inode()) && of_kind(event_kind::update))) {
            seen.insert(e.dst_port());
        }
        w.events.clear();
    }
    BOOST_TEST(seen.size() == flows);
    w.stop();
}

BOOST_AUTO_TEST_CASE(a_probe_without_a_filter_gets_none) {
    watch w;
    error_code ec;
    w.probe.set_filter(ctflow::filter(), ec);
    BOOST_TEST((ec == errc::no_filter), ec.message());
    w.stop();
}

BOOST_AUTO_TEST_CASE(a_filter_that_the_kernel_cannot_take_leaves_the_former) {
    auto c = every_packet("dst port 4242");
    watch w(c);
    ctflow::filter large = ctflow::filters::port(1);
    for (std::uint32_t i = 2; i <= 65; ++i) {
        large = large || ctflow::filters::port(2 * i);
    }
    error_code ec;
    diagnostics diag;
    w.probe.set_filter(large, ec, diag);
    BOOST_TEST((ec == errc::filter_too_long), ec.message());
    BOOST_TEST(diag.find("65") != diag.npos, diag);
    auto client = bind_udp(net.a, "192.0.2.1", 1001);
    auto wanted = bind_udp(net.b, "192.0.2.2", 4242);
    auto unwanted = bind_udp(net.b, "192.0.2.2", 5353);
    send(client, unwanted, 100);
    send(client, wanted, 100);
    w.until("an update", [&] { return w.count(from_port(1001)) != 0; });
    BOOST_TEST(w.select(from_port(1001))[0].dst_port() == 4242);
    w.stop();

    c.filter = large;
    BOOST_CHECK_EXCEPTION(probe(w.ctx, c), system_error,
                          [](const system_error& e) { return e.code() == errc::filter_too_long; });
}

BOOST_AUTO_TEST_SUITE_END()
