// SPDX-License-Identifier: Apache-2.0
//
// What an event says of flows of each protocol: addresses, ports where there are any, counters.
#include "support/raw.hpp"
#include "vm/world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <fstream>
#include <string>

#include <netinet/in.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using asio::ip::address;
using asio::ip::make_address;
using asio::ip::tcp;

namespace {

// Packets by hand, from port 1001 to port 2001 where the protocol has them.
struct protocol {
    const char* name; // conntrack(8)'s
    std::uint8_t number;
    bool has_ports;
    bytes there;
    bytes back;  // Empty if conntrack knows no answer to it.
    bytes again; // There once more.
    std::uint16_t src_port = 1001;
    std::uint16_t dst_port = 2001;
};

// Checksum coverage 8: the header. conntrack does not verify the checksum here, but wants one.
const protocol udplite{
    "udplite",
    IPPROTO_UDPLITE,
    true,
    {0x03, 0xe9, 0x07, 0xd1, 0, 8, 0xff, 0xff, 'x', 'x', 'x', 'x'},
    {0x07, 0xd1, 0x03, 0xe9, 0, 8, 0xff, 0xff, 'x', 'x'},
    {0x03, 0xe9, 0x07, 0xd1, 0, 8, 0xff, 0xff, 'x'},
};

// Linux 7.3 has no UDP-Lite any more: conntrack follows it without its ports, like any protocol
// that it does not know.
protocol udplite_of_this_kernel() {
    protocol p = udplite;
    if (shell("grep -c nf_conntrack_l4proto_udplite /proc/kallsyms || true") == "0\n") {
        BOOST_TEST_MESSAGE("this kernel's conntrack does not know UDP-Lite: its ports are 0");
        p.src_port = p.dst_port = 0;
    }
    return p;
}

// INIT, INIT ACK, COOKIE ECHO (conntrack does not count an INIT sent again). After ports,
// verification tag and checksum: the chunk's type and length; and in the former two a tag, window,
// numbers of streams, first sequence number.
const protocol sctp{
    "sctp",
    IPPROTO_SCTP,
    true,
    {0x03, 0xe9, 0x07, 0xd1, 0, 0, 0, 0, 0, 0, 0, 0, //
     1,    0,    0,    20,   1, 2, 3, 4, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1},
    {0x07, 0xd1, 0x03, 0xe9, 1, 2, 3, 4, 0, 0, 0, 0, //
     2,    0,    0,    20,   5, 6, 7, 8, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1},
    {0x03, 0xe9, 0x07, 0xd1, 5, 6, 7, 8, 0, 0, 0, 0, //
     10,   0,    0,    8,    1, 1, 1, 1},
};

const protocol gre{
    "gre",
    IPPROTO_GRE,
    false,
    {0, 0, 0x08, 0x00, 0x03, 0xe9, 0x07, 0xd1},
    {0, 0, 0x08, 0x00, 0x07, 0xd1, 0x03, 0xe9},
    {0, 0, 0x08, 0x00},
};

// PPTP's GRE. Its call id, 0x1234, is what conntrack keeps in the place of a port.
const protocol pptp_gre{
    "gre", IPPROTO_GRE,
    false, {0x20, 0x01, 0x88, 0x0b, 0, 4, 0x12, 0x34, 1, 2, 3, 4},
    {},    {0x20, 0x01, 0x88, 0x0b, 0, 0, 0x12, 0x34},
};

struct crafted : world {
    crafted() {
        net.a.sysctl("netfilter/nf_conntrack_checksum", "0");
        // Three seconds is the shortest that a flow here lives for by default.
        if (std::ifstream("/proc/sys/net/netfilter/nf_conntrack_sctp_timeout_cookie_wait")) {
            for (const char* state : {"closed", "cookie_wait", "cookie_echoed"}) {
                net.a.sysctl(std::string("netfilter/nf_conntrack_sctp_timeout_") + state, "600");
            }
        }
    }

    void check(const protocol& p, const std::string& from, const std::string& to) {
        BOOST_TEST_CONTEXT(p.name << " from " << from) {
            check(p, make_address(from), make_address(to));
        }
    }

    void check(const protocol& p, const address& from, const address& to) {
        watch w;
        send_raw(net.a, from, to, p.number, p.there);
        const auto mine = in_netns(net.a.inode()) && of_proto(p.number);
        w.until("the flow", [&] { return w.count(mine) > 0; });
        const event first = w.select(mine).front();
        const auto header = from.is_v6() ? 40U : 20U;
        BOOST_TEST((first.kind() == event_kind::update));
        BOOST_TEST(first.packets_orig() == 1U);
        BOOST_TEST(first.bytes_orig() == header + p.there.size());
        BOOST_TEST(first.packets_ret() == 0U);
        BOOST_TEST((first.tcp_state() == tcp_state::none));

        const auto flow = std::string("-f ") + (from.is_v6() ? "ipv6" : "ipv4") + " -p " + p.name;
        if (!p.back.empty()) {
            send_raw(net.b, to, from, p.number, p.back);
            // It may be a while on its way through the cable; out of turn, the next would not
            // count.
            w.until("the answer", [&] { return list_flow(net.a, flow).packets_ret == 1; });
        }
        send_raw(net.a, from, to, p.number, p.again);
        const event last = check_destroy(w, net.a, mine, flow);
        BOOST_TEST(last.packets_orig() == 2U);
        BOOST_TEST(last.packets_ret() == (p.back.empty() ? 0U : 1U));

        for (const event& e : {first, last}) {
            BOOST_TEST(e.has_ports() == p.has_ports);
            BOOST_TEST(e.src_port() == (p.has_ports ? p.src_port : 0));
            BOOST_TEST(e.dst_port() == (p.has_ports ? p.dst_port : 0));
            BOOST_TEST(e.src_addr() == from);
            BOOST_TEST(e.dst_addr() == to);
        }
        BOOST_TEST(last.flow_id() == first.flow_id());
        BOOST_TEST(w.count(mine) == 2U);
        w.stop();
        check_nothing_lost(w);
    }
};

// Two requests of 72 bytes of data and their answers.
void check_ping(world& here, const std::string& to, std::uint8_t proto, const std::string& flow,
                std::uint64_t size) {
    watch w;
    here.net.a.run("ping -c 2 -i 0.1 -s 72 " + to);
    const auto mine = in_netns(here.net.a.inode()) && of_proto(proto);
    w.until("the flow", [&] { return w.count(mine) > 0; });
    const event first = w.select(mine).front();
    BOOST_TEST(first.packets_orig() == 1U);
    BOOST_TEST(first.packets_ret() == 0U);
    BOOST_TEST(first.bytes_orig() == size);
    BOOST_TEST(first.record().src_port != 0); // The echo id, which is no port.
    const event last = check_destroy(w, here.net.a, mine, flow);
    BOOST_TEST(last.packets_orig() == 2U);
    BOOST_TEST(last.packets_ret() == 2U);
    BOOST_TEST(last.bytes_ret() == 2 * size);
    for (const event& e : {first, last}) {
        BOOST_TEST(!e.has_ports());
        BOOST_TEST(e.src_port() == 0);
        BOOST_TEST(e.dst_port() == 0);
        BOOST_TEST(e.dst_addr() == make_address(to));
    }
    BOOST_TEST(w.count(mine) == 2U);
    w.stop();
    check_nothing_lost(w);
}

// A flow from a, over IPv6.
void check_addresses(world& here, const std::string& from, const std::string& to) {
    watch w;
    auto a = here.bind_udp(here.net.a, from, 1001);
    auto b = here.bind_udp(here.net.b, to, 2001);
    exchange(a, b);
    for (const netns* ns : {&here.net.a, &here.net.b}) {
        const auto mine = in_netns(ns->inode()) && from_port(1001);
        w.until("the flow in " + ns->name(), [&] { return w.count(mine) > 0; });
        const event last = check_destroy(w, *ns, mine, "-f ipv6 -p udp --orig-port-src 1001");
        BOOST_TEST(last.bytes_orig() == 3U * 148);
        BOOST_TEST(last.bytes_ret() == 2U * 98);
        for (const event& e : w.select(mine)) {
            BOOST_TEST(e.src_addr() == make_address(from));
            BOOST_TEST(e.dst_addr() == make_address(to));
            BOOST_TEST(e.dst_port() == 2001);
        }
    }
    w.stop();
}

} // namespace

BOOST_AUTO_TEST_SUITE(protocols)

BOOST_FIXTURE_TEST_CASE(an_ipv6_address_may_end_in_twelve_zero_bytes, world) {
    net.a.run("ip addr add 2001:db8:: dev va nodad");
    check_addresses(*this, "2001:db8::", "2001:db8::2");
    net.a.run("ip addr del 2001:db8:: dev va");
    net.b.run("ip addr add 2001:db8:: dev vb nodad");
    check_addresses(*this, "2001:db8::1", "2001:db8::");
}

BOOST_FIXTURE_TEST_CASE(udp_lite_has_ports, crafted) {
    check(udplite_of_this_kernel(), "192.0.2.1", "192.0.2.2");
    check(udplite_of_this_kernel(), "2001:db8::1", "2001:db8::2");
}

BOOST_FIXTURE_TEST_CASE(sctp_has_ports, crafted) {
    check(sctp, "192.0.2.1", "192.0.2.2");
    check(sctp, "2001:db8::1", "2001:db8::2");
}

BOOST_FIXTURE_TEST_CASE(gre_has_no_ports, crafted) {
    check(gre, "192.0.2.1", "192.0.2.2");
    check(gre, "2001:db8::1", "2001:db8::2");
}

BOOST_FIXTURE_TEST_CASE(the_call_id_of_gre_is_no_port, crafted) {
    check(pptp_gre, "192.0.2.1", "192.0.2.2");
}

BOOST_FIXTURE_TEST_CASE(icmp_has_no_ports, world) {
    check_ping(*this, "192.0.2.2", IPPROTO_ICMP, "-p icmp", 100);
}

BOOST_FIXTURE_TEST_CASE(icmpv6_has_no_ports, world) {
    check_ping(*this, "2001:db8::2", IPPROTO_ICMPV6, "-f ipv6 -p icmpv6", 120);
}

// Its only answer ends it: conntrack removes the flow at once.
BOOST_FIXTURE_TEST_CASE(a_refused_connection_is_a_flow_of_a_packet_each_way, world) {
    watch w;
    auto client = bind_tcp(net.a, "192.0.2.1", 1001);
    boost::system::error_code ec;
    client.connect(tcp::endpoint(make_address("192.0.2.2"), 2001), ec);
    BOOST_TEST(ec == asio::error::connection_refused);
    for (const netns* ns : {&net.a, &net.b}) {
        const auto mine = in_netns(ns->inode()) && from_port(1001);
        const event last = only_destroy(w, mine);
        const event first = w.select(mine && of_kind(event_kind::update)).front();
        BOOST_TEST(w.count(mine) == 2U);
        BOOST_TEST((first.tcp_state() == tcp_state::syn_sent));
        BOOST_TEST(first.packets_orig() == 1U);
        BOOST_TEST(first.packets_ret() == 0U);
        BOOST_TEST(last.packets_orig() == 1U);
        BOOST_TEST(last.bytes_orig() == first.bytes_orig());
        BOOST_TEST(last.packets_ret() == 1U);
        BOOST_TEST(last.bytes_ret() == 40U);
    }
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_connection_reset_by_its_peer_ends_closed, world) {
    watch w;
    auto [client, server] = connect(1001, 2001);
    asio::write(client, asio::buffer(std::string(1000, 'x')));
    server.set_option(tcp::socket::linger(true, 0));
    server.close();
    std::array<char, 1> data{};
    boost::system::error_code ec;
    client.read_some(asio::buffer(data), ec);
    BOOST_TEST(ec == asio::error::connection_reset);
    for (const netns* ns : {&net.a, &net.b}) {
        const auto mine = in_netns(ns->inode()) && from_port(1001);
        const event last = check_destroy(w, *ns, mine, "-p tcp --orig-port-src 1001");
        BOOST_TEST((last.tcp_state() == tcp_state::close));
        BOOST_TEST(last.bytes_orig() > 1000U);
        BOOST_TEST(w.count(mine) == 2U);
    }
    w.stop();
}

BOOST_AUTO_TEST_SUITE_END()
