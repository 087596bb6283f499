// SPDX-License-Identifier: Apache-2.0
//
// Flows that conntrack tells apart, translates or expects: zones, NAT, helpers.
#include "vm/world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <string>

#include <sys/socket.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using asio::ip::make_address;
using asio::ip::tcp;

namespace {

void load(const netns& ns, const std::string& ruleset) {
    ns.run("nft '" + ruleset + "'");
}

// All events of a flow that `exchange` made have these ends; the last one has its counters.
void check_exchange(watch& w, const netns& ns, const std::string& from, std::uint16_t from_port,
                    const std::string& to, std::uint16_t to_port) {
    const auto here = in_netns(ns.inode());
    const event last = check_destroy(w, ns, here, "-p udp");
    BOOST_TEST(last.bytes_orig() == 3U * 128);
    BOOST_TEST(last.bytes_ret() == 2U * 78);
    const auto events = w.select(here);
    BOOST_REQUIRE_EQUAL(events.size(), 2U);
    BOOST_TEST(events[0].packets_orig() == 1U);
    BOOST_TEST(events[0].flow_id() == last.flow_id());
    for (const event& e : events) {
        BOOST_TEST(e.src_addr() == make_address(from));
        BOOST_TEST(e.src_port() == from_port);
        BOOST_TEST(e.dst_addr() == make_address(to));
        BOOST_TEST(e.dst_port() == to_port);
    }
}

void line(tcp::socket& from, tcp::socket& to, const std::string& text) {
    asio::write(from, asio::buffer(text));
    std::string got(text.size(), ' ');
    asio::read(to, asio::buffer(got));
}

// Those that it sends from here on.
void mark_packets(asio::ip::udp::socket& s, int mark) {
    BOOST_REQUIRE_EQUAL(::setsockopt(s.native_handle(), SOL_SOCKET, SO_MARK, &mark, sizeof(mark)),
                        0);
}

} // namespace

BOOST_AUTO_TEST_SUITE(nat)

BOOST_FIXTURE_TEST_CASE(zones_keep_flows_of_equal_tuples_apart, world) {
    load(net.a, R"(table ip zones {
        chain output {
            type filter hook output priority raw;
            meta mark 1 ct zone set 1
            meta mark 2 ct zone set 2
        }
    })");
    watch w;
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    auto b = bind_udp(net.b, "192.0.2.2", 2001);
    for (const int zone : {1, 2, 1, 2, 1}) {
        mark_packets(a, zone);
        send(a, b, zone == 1 ? 100 : 50);
    }
    const auto mine = in_netns(net.a.inode()) && from_port(1001);
    w.until("both flows", [&] { return w.count(mine) == 2; });
    const auto first = w.select(mine);
    BOOST_TEST(first[0].conntrack() != first[1].conntrack());
    BOOST_TEST(first[0].flow_id() != first[1].flow_id());
    BOOST_TEST(first[0].bytes_orig() == 128U);
    BOOST_TEST(first[1].bytes_orig() == 78U);
    for (const event& e : first) {
        BOOST_TEST(e.packets_orig() == 1U);
        BOOST_TEST(e.src_addr() == make_address("192.0.2.1"));
        BOOST_TEST(e.dst_addr() == make_address("192.0.2.2"));
        BOOST_TEST(e.dst_port() == 2001);
    }
    const auto conntrack = [](const event& of) {
        return [c = of.conntrack()](const event& e) {
            return e.conntrack() == c;
        };
    };
    const event one =
        check_destroy(w, net.a, mine && conntrack(first[0]), "-p udp --orig-port-src 1001 -w 1");
    const event two =
        check_destroy(w, net.a, mine && conntrack(first[1]), "-p udp --orig-port-src 1001 -w 2");
    BOOST_TEST(one.packets_orig() == 3U);
    BOOST_TEST(one.bytes_orig() == 3U * 128);
    BOOST_TEST(two.packets_orig() == 2U);
    BOOST_TEST(two.bytes_orig() == 2U * 78);

    // What the rules keep their zones in ends like a flow, and is none.
    net.a.run("nft delete table ip zones");
    w.idle(200ms);
    BOOST_TEST(w.count(mine) == 4U);
    w.stop();
    check_nothing_lost(w);
}

// In the original direction the one is in zone 5, the other in none.
BOOST_FIXTURE_TEST_CASE(zones_of_one_direction_keep_flows_of_equal_tuples_apart, world) {
    load(net.a, R"(table ip zones {
        chain output {
            type filter hook output priority raw;
            meta mark 1 ct original zone set 5
            meta mark 2 ct reply zone set 5
        }
    })");
    watch w;
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    auto b = bind_udp(net.b, "192.0.2.2", 2001);
    for (const int mark : {1, 2, 1, 2, 1}) {
        mark_packets(a, mark);
        send(a, b, 100);
    }
    const auto mine = in_netns(net.a.inode()) && from_port(1001);
    w.until("both flows", [&] { return w.count(mine) == 2; });
    const auto of = [&](zone_direction direction) {
        return mine && [direction](const event& e) {
            return e.zone_direction() == direction;
        };
    };
    const auto reply = of(zone_direction::reply);
    const auto original = of(zone_direction::original);
    const event first =
        check_destroy(w, net.a, reply, "-p udp --orig-port-src 1001 --reply-zone 5");
    BOOST_TEST(first.packets_orig() == 2U);
    BOOST_TEST(w.count(original) == 1U); // It lives on.
    const event second =
        check_destroy(w, net.a, original, "-p udp --orig-port-src 1001 --orig-zone 5");
    BOOST_TEST(second.packets_orig() == 3U);
    for (const event& e : {first, second}) {
        BOOST_TEST(e.zone() == 5);
    }
    w.stop();
    check_nothing_lost(w);
}

BOOST_FIXTURE_TEST_CASE(a_flow_with_snat_has_its_source_of_before, world) {
    net.a.run("ip addr add 192.0.2.99/24 dev va");
    load(net.a, R"(table ip translate {
        chain postrouting {
            type nat hook postrouting priority srcnat;
            udp dport 2001 snat to 192.0.2.99:5001
        }
    })");
    watch w;
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    auto b = bind_udp(net.b, "192.0.2.2", 2001);
    send(a, b, 100);
    const auto seen_by_b = [&] {
        std::string data(100, ' ');
        asio::ip::udp::endpoint from;
        b.receive_from(asio::buffer(data), from);
        return from;
    };
    const auto translated = seen_by_b();
    BOOST_TEST(translated.address() == make_address("192.0.2.99"));
    BOOST_TEST(translated.port() == 5001);
    for (int i = 0; i < 2; ++i) {
        b.send_to(asio::buffer(std::string(50, 'x')), translated);
        receive(a);
        send(a, b, 100);
        receive(b);
    }
    check_exchange(w, net.a, "192.0.2.1", 1001, "192.0.2.2", 2001);
    check_exchange(w, net.b, "192.0.2.99", 5001, "192.0.2.2", 2001);
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_flow_with_dnat_has_its_destination_of_before, world) {
    net.a.run("ip route add 198.51.100.0/24 via 192.0.2.2");
    load(net.a, R"(table ip translate {
        chain output {
            type nat hook output priority -100;
            ip daddr 198.51.100.7 udp dport 80 dnat to 192.0.2.2:2001
        }
    })");
    watch w;
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    auto b = bind_udp(net.b, "192.0.2.2", 2001);
    const asio::ip::udp::endpoint untranslated(make_address("198.51.100.7"), 80);
    for (int i = 0; i < 3; ++i) {
        a.send_to(asio::buffer(std::string(100, 'x')), untranslated);
        receive(b);
        if (i < 2) {
            send(b, a, 50);
            receive(a);
        }
    }
    check_exchange(w, net.a, "192.0.2.1", 1001, "198.51.100.7", 80);
    check_exchange(w, net.b, "192.0.2.1", 1001, "192.0.2.2", 2001);
    w.stop();
}

// conntrack expects the data connection because of what the control connection said, and gives it
// that one's mark.
BOOST_FIXTURE_TEST_CASE(an_ftp_data_connection_is_a_flow_of_its_own, world) {
    load(net.a, R"(table ip ftp {
        ct helper of_control { type "ftp" protocol tcp; }
        chain output {
            type filter hook output priority 0;
            tcp dport 21 ct helper set "of_control"
            tcp dport 21 ct mark set 0x2a
        }
    })");
    watch w;
    auto [client, server] = connect(1001, 21);
    line(client, server, "USER ctflow\r\n");
    line(server, client, "331 Go on\r\n");
    auto data_port = listen(net.a, "192.0.2.1", 2001);
    line(client, server, "PORT 192,0,2,1,7,209\r\n"); // 2001
    line(server, client, "200 Well\r\n");
    {
        auto from = bind_tcp(net.b, "192.0.2.2", 20);
        from.connect(data_port.local_endpoint());
        auto to = data_port.accept();
        line(from, to, std::string(10'000, 'x'));
    }
    closed(w, net.a, "-p tcp --orig-port-dst 2001 -u EXPECTED");
    w.idle(200ms); // Nor does the control connection, in which the client owes an acknowledgement.
    const auto in_a = in_netns(net.a.inode());
    w.until("both flows", [&] {
        return w.count(in_a && from_port(1001)) > 0 && w.count(in_a && from_port(20)) > 0;
    });
    for (const auto port : {std::uint16_t{1001}, std::uint16_t{20}}) {
        const event first = w.select(in_a && from_port(port)).front();
        BOOST_TEST(first.packets_orig() == 1U);
        BOOST_TEST(first.packets_ret() == 0U);
        BOOST_TEST((first.tcp_state() == tcp_state::syn_sent));
        BOOST_TEST(first.connmark() == 0x2aU);
    }
    const event data =
        check_destroy(w, net.a, from_port(20), "-p tcp --orig-port-dst 2001 -u EXPECTED");
    BOOST_TEST(data.src_addr() == make_address("192.0.2.2"));
    BOOST_TEST(data.dst_addr() == make_address("192.0.2.1"));
    BOOST_TEST(data.dst_port() == 2001);
    BOOST_TEST(data.bytes_orig() > 10'000U);
    const auto control = w.select(in_a && from_port(1001)).front();
    for (const event& e : w.select(in_a && from_port(20))) {
        BOOST_REQUIRE(e.master());
        BOOST_TEST(e.master()->conntrack == control.conntrack());
        BOOST_TEST(e.master()->flow_id == control.flow_id());
        BOOST_TEST(e.master()->proto == control.proto());
        BOOST_TEST((e.master()->original == control.original()));
        BOOST_TEST(has(e.status(), flow_status::expected));
    }
    BOOST_TEST(!control.master());
    check_destroy(w, net.a, from_port(1001), "-p tcp --orig-port-dst 21");
    BOOST_TEST(w.count(in_a) == 4U);
    w.stop();
}

BOOST_AUTO_TEST_SUITE_END()
