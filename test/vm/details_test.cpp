// SPDX-License-Identifier: Apache-2.0
//
// What few flows have, and where conntrack says so too: it must be the same.
#include "support/conntrack_listing.hpp"
#include "vm/routed.hpp"
#include "vm/world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <sys/socket.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using asio::ip::make_address;
using asio::ip::tcp;
using asio::ip::udp;

namespace {

constexpr const char* source_nat = R"(table inet of_sources {
    chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "wan" masquerade
    }
})";

// What is for port 80 anywhere goes to the world outside.
constexpr const char* destination_nat = R"(table inet of_destinations {
    chain prerouting {
        type nat hook prerouting priority dstnat;
        iifname "lan" meta nfproto ipv4 udp dport 80 dnat ip to 192.0.2.2:2001
        iifname "lan" meta nfproto ipv6 udp dport 80 dnat ip6 to [2001:db8::2]:2001
    }
})";

void load(const netns& ns, const std::string& ruleset) {
    ns.run("nft '" + ruleset + "'");
}

struct family_case {
    std::uint8_t family;
    const char* arguments;
    const char* home;
    const char* outside;
    const char* elsewhere; // Where nobody is, behind the router.
};
constexpr family_case families[] = {
    {AF_INET, "-f ipv4", "10.1.0.2", "192.0.2.2", "203.0.113.7"},
    {AF_INET6, "-f ipv6", "fd00:1::2", "2001:db8::2", "2001:db8:7::7"},
};

// All that conntrack tells of a flow, by either of its ways, is what the event says.
void check_same(const event& e, const conntrack_listing& listed, const conntrack_raw& raw) {
    BOOST_TEST((e.original() == listed.original));
    BOOST_TEST((e.reply() == listed.reply));
    BOOST_TEST(e.has_nat() == (listed.reply != listed.original.mirrored()));
    BOOST_TEST(e.connmark() == listed.mark);
    BOOST_TEST(e.zone() == listed.zone);
    BOOST_TEST(e.labels() == raw.labels);
    BOOST_TEST(to_string(e.status()) == to_string(raw.status));
}

// Exchanges two datagrams across the router, and compares what its events say with what conntrack
// does, at the last update and at the end. Returns the destroy event.
event check_router(routed& net, const family_case& f, const std::string& to, std::uint16_t port) {
    auto c = every_packet();
    watch w(c);
    auto from = net.bind<udp::socket>(net.home, f.home, 1001);
    auto answering = net.bind<udp::socket>(net.outside, f.outside, 2001);
    for (int i = 0; i < 3; ++i) {
        net.ask(from, {make_address(to), port}, answering);
    }
    const auto mine = in_netns(net.router.inode()) && from_port(1001);
    const auto arguments = std::string(f.arguments) + " -p udp --orig-port-src 1001";
    w.until("six packets", [&] { return w.count(mine) >= 6; });
    const conntrack_listing listed(net.router, arguments);
    const conntrack_raw raw(net.router, f.family, 1001, port);
    check_same(w.select(mine).back(), listed, raw);

    net.router.run("conntrack -D " + arguments);
    const event last = only_destroy(w, mine);
    BOOST_TEST((last.reply() == listed.reply));
    BOOST_TEST(to_string(last.status()) == to_string(raw.status | flow_status::dying));
    BOOST_TEST(last.packets_orig() == 3U);
    BOOST_TEST(last.bytes_ret() == 3U * (50 + 8 + (f.family == AF_INET ? 20 : 40)));
    w.stop();
    check_nothing_lost(w);
    return last;
}

} // namespace

BOOST_AUTO_TEST_SUITE(details)

BOOST_FIXTURE_TEST_CASE(a_masqueraded_flow_has_the_routers_address_in_its_reply, routed) {
    load(router, source_nat);
    for (const auto& f : families) {
        BOOST_TEST_CONTEXT(f.arguments) {
            const event last = check_router(*this, f, f.outside, 2001);
            BOOST_TEST(last.has_nat());
            BOOST_TEST(has(last.status(), flow_status::src_nat));
            BOOST_TEST(!has(last.status(), flow_status::dst_nat));
            BOOST_TEST(last.reply().dst_addr.to_string() ==
                       (f.family == AF_INET ? "192.0.2.1" : "2001:db8::1"));
            BOOST_TEST(last.reply().src_addr == last.dst_addr());
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_redirected_flow_has_who_answers_in_its_reply, routed) {
    load(router, destination_nat);
    outside.run("ip route add 10.1.0.0/24 via 192.0.2.1");
    outside.run("ip -6 route add fd00:1::/64 via 2001:db8::1");
    for (const auto& f : families) {
        BOOST_TEST_CONTEXT(f.arguments) {
            const event last = check_router(*this, f, f.elsewhere, 80);
            BOOST_TEST(last.has_nat());
            BOOST_TEST(!has(last.status(), flow_status::src_nat));
            BOOST_TEST(has(last.status(), flow_status::dst_nat));
            BOOST_TEST(last.dst_addr() == make_address(f.elsewhere));
            BOOST_TEST(last.dst_port() == 80);
            BOOST_TEST(last.reply().src_addr == make_address(f.outside));
            BOOST_TEST(last.reply().src_port == 2001);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(both_at_once_are_both_told, routed) {
    load(router, source_nat);
    load(router, destination_nat);
    for (const auto& f : families) {
        BOOST_TEST_CONTEXT(f.arguments) {
            const event last = check_router(*this, f, f.elsewhere, 80);
            BOOST_TEST(has(last.status(), flow_status::src_nat | flow_status::dst_nat));
            BOOST_TEST(last.reply().src_addr == make_address(f.outside));
            BOOST_TEST(last.reply().dst_addr != last.src_addr());
            BOOST_TEST(to_string(last).find(" (nat ") != std::string::npos);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_flow_that_is_only_routed_has_no_details, routed) {
    outside.run("ip route add 10.1.0.0/24 via 192.0.2.1");
    outside.run("ip -6 route add fd00:1::/64 via 2001:db8::1");
    for (const auto& f : families) {
        BOOST_TEST_CONTEXT(f.arguments) {
            const event last = check_router(*this, f, f.outside, 2001);
            BOOST_TEST(!last.has_details());
            BOOST_TEST(!last.has_nat());
            BOOST_TEST(has(last.status(), flow_status::seen_reply | flow_status::confirmed));
        }
    }
}

BOOST_FIXTURE_TEST_CASE(zone_labels_mark_and_status_are_conntracks, routed) {
    load(router, source_nat);
    load(router, R"(table inet extras {
        chain first {
            type filter hook prerouting priority raw;
            iifname "lan" ct zone set 7
            iifname "wan" ct zone set 7
        }
        chain forward {
            type filter hook forward priority 0;
            ct mark set 0x12345678
            ct label set 3
            ct label set 127
        }
    })");
    for (const auto& f : families) {
        BOOST_TEST_CONTEXT(f.arguments) {
            const event last = check_router(*this, f, f.outside, 2001);
            BOOST_TEST(last.zone() == 7);
            BOOST_TEST((last.zone_direction() == zone_direction::both));
            BOOST_TEST(last.connmark() == 0x12345678U);
            BOOST_TEST(last.labels() == (std::bitset<128>(1) << 3 | std::bitset<128>(1) << 127));
        }
    }
}

// As IPVS does: no bit of the status says so.
BOOST_FIXTURE_TEST_CASE(a_translation_that_only_the_tuples_show, world,
                        *boost::unit_test::precondition(by_tracing)) {
    for (const auto& f : families) {
        BOOST_TEST_CONTEXT(f.arguments) {
            const bool v4 = f.family == AF_INET;
            const std::string src = v4 ? "192.0.2.1" : "2001:db8::1";
            const std::string dst = v4 ? "192.0.2.2" : "2001:db8::2";
            const std::string real = v4 ? "192.0.2.7" : "2001:db8::7";
            watch w;
            net.a.run("conntrack -I -p udp -t 60 -s " + src + " -d " + dst +
                      " --sport 1001 --dport 80 -r " + real + " -q " + src +
                      " --reply-port-src 8080 --reply-port-dst 1001");
            const auto mine = in_netns(net.a.inode()) && from_port(1001);
            w.until("the flow", [&] { return w.count(mine) > 0; });
            const conntrack_listing listed(net.a, std::string(f.arguments) +
                                                      " -p udp --orig-port-src 1001");
            const event first = w.select(mine).front();
            BOOST_TEST(first.has_nat());
            BOOST_TEST((first.reply() == listed.reply));
            net.a.run("conntrack -D " + std::string(f.arguments) + " -p udp");
            BOOST_TEST((only_destroy(w, mine).reply() == listed.reply));
            w.stop();
        }
    }
}

// The flowtable sees the packets of an established connection before conntrack does, and counts
// them on its behalf.
BOOST_FIXTURE_TEST_CASE(an_offloaded_flow_is_flagged_and_counted, routed,
                        *boost::unit_test::precondition(by_tracing)) {
    shell("modprobe -a nf_flow_table nft_flow_offload nf_flow_table_inet");
    load(router, source_nat);
    load(router, R"(table inet fast {
        flowtable shortcut {
            hook ingress priority 0
            devices = { lan, wan }
            counter
        }
        chain forward {
            type filter hook forward priority 0;
            meta l4proto tcp flow add @shortcut
        }
    })");
    auto c = every_packet();
    watch w(c);
    auto acceptor = [&] {
        const netns::inside in(outside);
        return tcp::acceptor(sockets, {make_address("192.0.2.2"), 2001});
    }();
    auto client = bind<tcp::socket>(home, "10.1.0.2", 1001);
    client.connect({make_address("192.0.2.2"), 2001});
    auto server = acceptor.accept();
    const std::string text(100, 'x');
    std::string got(100, ' ');
    for (int i = 0; i < 200; ++i) {
        asio::write(client, asio::buffer(text));
        asio::read(server, asio::buffer(got));
        asio::write(server, asio::buffer(text));
        asio::read(client, asio::buffer(got));
    }
    const auto mine = in_netns(router.inode()) && from_port(1001);
    const auto offloaded = [](const event& e) {
        return e.offload() == flow_offload::software;
    };
    w.until("an offloaded update", [&] { return w.count(mine && offloaded) > 0; });
    const event update = w.select(mine && offloaded).front();
    BOOST_TEST(has(update.status(), flow_status::offload));
    BOOST_TEST(update.has_nat());
    BOOST_TEST((w.select(mine).front().offload() == flow_offload::none));

    const event last = check_destroy(w, router, mine, "-p tcp --orig-port-src 1001");
    BOOST_TEST((last.offload() == flow_offload::software));
    BOOST_TEST(last.bytes_orig() > 200U * 152);
    BOOST_TEST(last.bytes_ret() > 200U * 152);
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(both_sides_of_a_connection_are_told_if_wanted, world) {
    auto c = every_packet();
    c.tcp_sides = true;
    watch w(c);
    {
        auto [client, server] = connect(1001, 2001);
        asio::write(client, asio::buffer(std::string(100, 'x')));
        std::string got(100, ' ');
        asio::read(server, asio::buffer(got));
        server.shutdown(tcp::socket::shutdown_send);
        boost::system::error_code eof;
        asio::read(client, asio::buffer(got), eof);
        const auto half_closed = [](const event& e) {
            const auto sides = e.tcp_sides();
            return sides && sides->ret.closed_first();
        };
        const auto mine = in_netns(net.a.inode()) && from_port(1001);
        w.until("one side to close", [&] { return w.count(mine && half_closed) > 0; });
        const auto sides = w.select(mine && half_closed).front().tcp_sides();
        BOOST_TEST(!sides->orig.closed_first());
        BOOST_TEST((sides->orig.flags & 1) == 1); // IP_CT_TCP_FLAG_WINDOW_SCALE
        BOOST_TEST(sides->orig.window_scale > 0);
    }
    closed(w, net.a, "-p tcp --orig-port-src 1001");
    const event last = check_destroy(w, net.a, from_port(1001), "-p tcp --orig-port-src 1001");
    if (attach_under_test() == attach_mode::netfilter) {
        BOOST_TEST(!last.tcp_sides()); // Ctnetlink does not tell.
    } else {
        BOOST_REQUIRE(last.tcp_sides());
        BOOST_TEST(!last.tcp_sides()->orig.closed_first());
        BOOST_TEST(last.tcp_sides()->ret.closed_first());
    }
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(an_end_has_its_reason_and_its_duration, world) {
    net.a.sysctl("netfilter/nf_conntrack_tcp_timeout_time_wait", "1");
    watch w;
    const auto in_a = in_netns(net.a.inode());

    // Deleted, although it has been assured: nothing else could have taken it out.
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    auto b = bind_udp(net.b, "192.0.2.2", 2001);
    const auto began = boot_clock::now();
    exchange(a, b);
    w.idle(2500ms); // A UDP flow becomes a stream after two seconds, and assured.
    exchange(a, b);
    w.idle(100ms);
    net.a.run("conntrack -D -p udp --orig-port-src 1001");
    const event deleted = only_destroy(w, in_a && from_port(1001));
    const auto lived = boot_clock::now() - began;
    BOOST_TEST(has(deleted.status(), flow_status::assured));
    BOOST_TEST(to_string(deleted.end_reason()) == "deleted");
    BOOST_REQUIRE(deleted.duration());
    BOOST_TEST((*deleted.duration() > 2200ms && *deleted.duration() <= lived));

    // Silent for a second. It is taken out later than that, by who comes across it: the garbage
    // collector can take a minute or two.
    const auto expire = [&] {
        w.idle(3s);
        net.a.run("conntrack -L");
    };
    net.a.sysctl("netfilter/nf_conntrack_udp_timeout", "1");
    auto silent = bind_udp(net.a, "192.0.2.1", 1002);
    send(silent, b, 100);
    expire();
    const event timeout = only_destroy(w, in_a && from_port(1002));
    BOOST_TEST(to_string(timeout.end_reason()) == "timeout");
    BOOST_REQUIRE(timeout.duration());
    // Not the three that passed: the second, give or take what a late tick can do.
    BOOST_TEST((*timeout.duration() > 500ms && *timeout.duration() < 2500ms),
               "it lived for " << timeout.duration()->count() << " ns");

    // Closed, by both sides.
    { auto [client, server] = connect(1003, 2003); }
    expire();
    const event over = only_destroy(w, in_a && from_port(1003));
    BOOST_TEST(to_string(over.end_reason()) == "closed");
    BOOST_TEST(over.duration().has_value());
    for (const event& e : w.select(of_kind(event_kind::update))) {
        BOOST_TEST(to_string(e.end_reason()) == "unknown");
        BOOST_TEST(!e.duration());
    }
    w.stop();
}

BOOST_AUTO_TEST_SUITE_END()
