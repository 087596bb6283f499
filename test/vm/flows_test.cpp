// SPDX-License-Identifier: Apache-2.0
//
// What the probe says of flows, against what conntrack says of them.
#include "vm/watch.hpp"
#include "vm/world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using asio::ip::make_address;
using asio::ip::tcp;
using asio::ip::udp;

namespace {

bool within_a_second(std::chrono::sys_time<std::chrono::nanoseconds> a,
                     std::chrono::sys_time<std::chrono::nanoseconds> b) {
    return a - b < 1s && b - a < 1s;
}

} // namespace

BOOST_AUTO_TEST_SUITE(flows)

BOOST_FIXTURE_TEST_CASE(a_udp_exchange_is_accounted_in_both_namespaces, world) {
    watch w;
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    auto b = bind_udp(net.b, "192.0.2.2", 2001);
    const auto before = std::chrono::system_clock::now();
    exchange(a, b);

    for (const netns* ns : {&net.a, &net.b}) {
        const auto mine = in_netns(ns->inode()) && from_port(1001);
        w.until("the flow in " + ns->name(), [&] { return w.count(mine) > 0; });
        const event first = w.select(mine).front();
        BOOST_TEST((first.kind() == event_kind::update));
        BOOST_TEST(first.packets_orig() == 1U);
        BOOST_TEST(first.bytes_orig() == 128U); // With IP and UDP headers.
        BOOST_TEST(first.packets_ret() == 0U);
        BOOST_TEST(first.bytes_ret() == 0U);
        BOOST_TEST(first.src_addr() == make_address("192.0.2.1"));
        BOOST_TEST(first.dst_addr() == make_address("192.0.2.2"));
        BOOST_TEST(first.dst_port() == 2001);
        BOOST_TEST(first.proto() == IPPROTO_UDP);
        BOOST_TEST(first.connmark() == 0U);
        BOOST_TEST((first.tcp_state() == tcp_state::none));
        BOOST_TEST(within_a_second(first.start(), before));
        BOOST_TEST(within_a_second(first.time(), before));

        check_destroy(w, *ns, from_port(1001), "-p udp --orig-port-src 1001");
        const event last = w.select(mine).back();
        BOOST_TEST(last.packets_orig() == 3U);
        BOOST_TEST(last.packets_ret() == 2U);
        BOOST_TEST(last.flow_id() == first.flow_id());
        BOOST_TEST((last.start() == first.start()));
        BOOST_TEST((last.timestamp() > first.timestamp()));
    }
    w.stop();
    check_nothing_lost(w);
}

BOOST_FIXTURE_TEST_CASE(a_tcp_transfer_is_accounted_to_the_byte, world) {
    watch w;
    constexpr std::size_t size = 100'000;
    const auto acceptor = [&] {
        const netns::inside in(net.b);
        return std::make_unique<tcp::acceptor>(sockets,
                                               tcp::endpoint(make_address("192.0.2.2"), 2002));
    }();
    std::thread server([&] {
        auto peer = acceptor->accept();
        std::vector<char> data(size);
        asio::read(peer, asio::buffer(data));
    });
    {
        auto client = [&] {
            const netns::inside in(net.a);
            return tcp::socket(sockets, tcp::endpoint(make_address("192.0.2.1"), 1002));
        }();
        client.connect(acceptor->local_endpoint());
        asio::write(client, asio::buffer(std::string(size, 'x')));
        server.join();
    }
    for (const netns* ns : {&net.a, &net.b}) {
        const auto mine = in_netns(ns->inode()) && from_port(1002);
        w.until("the flow in " + ns->name(), [&] { return w.count(mine) > 0; });
        const event first = w.select(mine).front();
        BOOST_TEST(first.packets_orig() == 1U);
        BOOST_TEST(first.packets_ret() == 0U);
        BOOST_TEST((first.tcp_state() == tcp_state::syn_sent));
        closed(w, *ns, "-p tcp --orig-port-src 1002");
        check_destroy(w, *ns, from_port(1002), "-p tcp --orig-port-src 1002");
        BOOST_TEST(w.select(mine).back().bytes_orig() > size);
    }
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(an_ipv6_flow_has_its_addresses, world) {
    watch w;
    auto a = bind_udp(net.a, "2001:db8::1", 1003);
    auto b = bind_udp(net.b, "2001:db8::2", 2003);
    exchange(a, b);
    const auto mine = in_netns(net.a.inode()) && from_port(1003);
    w.until("the flow", [&] { return w.count(mine) > 0; });
    const event first = w.select(mine).front();
    BOOST_TEST(first.src_addr() == make_address("2001:db8::1"));
    BOOST_TEST(first.dst_addr() == make_address("2001:db8::2"));
    BOOST_TEST(first.bytes_orig() == 148U);
    check_destroy(w, net.a, from_port(1003), "-f ipv6 -p udp --orig-port-src 1003");
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(an_icmp_error_is_no_packet_of_its_flow, world) {
    watch w(every_packet());
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    a.connect(udp::endpoint(make_address("192.0.2.2"), 9)); // Where nobody listens.
    a.send(asio::buffer("x", 1));
    std::array<char, 1> none{};
    error_code refused;
    a.receive(asio::buffer(none), 0, refused);
    BOOST_TEST((refused == asio::error::connection_refused), refused.message());
    const auto updates = from_port(1001) && of_kind(event_kind::update);
    w.until("both updates", [&] { return w.count(updates) >= 2; });
    w.idle(200ms);
    BOOST_TEST(w.count(updates) == 2U); // One in each namespace.
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_connmark_set_by_nftables_is_there_from_the_first_event, world) {
    watch w;
    auto a = bind_udp(net.a, "192.0.2.1", 1004);
    auto b = bind_udp(net.b, "192.0.2.2", 4242);
    send(a, b, 10);
    const auto mine = from_port(1004);
    w.until("both flows", [&] { return w.count(mine) == 2; });
    BOOST_TEST(w.select(mine && in_netns(net.a.inode())).front().connmark() == 0x2aU);
    BOOST_TEST(w.select(mine && in_netns(net.b.inode())).front().connmark() == 0U);
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_flow_without_counters_is_counted_instead_of_reported, world) {
    net.a.sysctl("netfilter/nf_conntrack_acct", "0");
    watch w;
    auto a = bind_udp(net.a, "192.0.2.1", 1005);
    auto b = bind_udp(net.b, "192.0.2.2", 2005);
    send(a, b, 10);
    w.until("the flow in b", [&] { return w.count(from_port(1005)) > 0; });
    BOOST_TEST(w.count(from_port(1005) && in_netns(net.a.inode())) == 0U);
    BOOST_TEST(w.stats().events_unaccounted == 1U);
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_full_flow_table_costs_updates_but_no_first_and_no_destroy_event, world) {
    config c = config_under_test();
    c.max_flows = 16;
    c.curve0 = {0s, 1ms}; // Every packet that has a place would be reported.
    watch w(c);
    constexpr std::uint16_t flows = 100;
    constexpr int packets = 20;
    auto b = bind_udp(net.b, "192.0.2.2", 2006);
    {
        std::vector<udp::socket> sockets_of_a;
        for (std::uint16_t i = 0; i < flows; ++i) {
            sockets_of_a.push_back(
                bind_udp(net.a, "192.0.2.1", static_cast<std::uint16_t>(10000 + i)));
        }
        for (int round = 0; round < packets; ++round) {
            for (auto& s : sockets_of_a) {
                send(s, b, 10);
            }
        }
    }
    const auto in_a = in_netns(net.a.inode());
    const auto stats = w.stats();
    // Both namespaces' flows.
    BOOST_TEST(stats.flows_untracked >= 2U * flows - w.probes() * c.max_flows);
    BOOST_TEST(stats.packets_untracked > 0U);
    net.a.run("conntrack -D -p udp --orig-port-dst 2006");
    w.until("all ends", [&] { return w.count(in_a && of_kind(event_kind::destroy)) >= flows; });
    std::size_t flows_with_updates = 0;
    for (std::uint16_t i = 0; i < flows; ++i) {
        const auto mine = in_a && from_port(static_cast<std::uint16_t>(10000 + i));
        const auto updates = w.select(mine && of_kind(event_kind::update));
        BOOST_REQUIRE(!updates.empty());
        BOOST_TEST(updates.front().packets_orig() == 1U);
        BOOST_TEST(w.count(mine && of_kind(event_kind::destroy)) == 1U);
        flows_with_updates += updates.size() > 1 ? 1 : 0;
    }
    BOOST_TEST(flows_with_updates <= c.max_flows);
    w.stop();
}

BOOST_AUTO_TEST_SUITE_END()
