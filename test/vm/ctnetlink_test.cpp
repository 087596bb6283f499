// SPDX-License-Identifier: Apache-2.0
//
// Flows that an administrator makes, marks and zeroes with conntrack(8).
#include "vm/world.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using boost::asio::ip::make_address;

namespace {

const std::string the_flow = "-f ipv4 -p udp --orig-port-src 1001";

struct one_flow : world {
    watch w{every_packet()};
    boost::asio::ip::udp::socket a = bind_udp(net.a, "192.0.2.1", 1001);
    boost::asio::ip::udp::socket b = bind_udp(net.b, "192.0.2.2", 2001);
    watch::filter mine = in_netns(net.a.inode()) && from_port(1001);

    // The latest event of the flow, once there are so many. None may come on top.
    event latest(std::size_t count) {
        w.until("event " + std::to_string(count), [&] { return w.count(mine) >= count; });
        w.idle(100ms);
        BOOST_REQUIRE_EQUAL(w.count(mine), count);
        return w.select(mine).back();
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(ctnetlink)

BOOST_FIXTURE_TEST_CASE(an_inserted_flow_begins_without_packets, one_flow) {
    net.a.run("conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 1001 --dport 2001 "
              "--timeout 600 --mark 5");
    const event first = latest(1);
    BOOST_TEST((first.kind() == event_kind::update));
    BOOST_TEST(first.packets_orig() == 0U);
    BOOST_TEST(first.bytes_orig() == 0U);
    BOOST_TEST(first.packets_ret() == 0U);
    BOOST_TEST(first.connmark() == 5U);
    BOOST_TEST(first.src_addr() == make_address("192.0.2.1"));
    BOOST_TEST(first.dst_addr() == make_address("192.0.2.2"));
    BOOST_TEST(first.dst_port() == 2001);

    send(a, b, 100);
    const event second = latest(2);
    BOOST_TEST(second.packets_orig() == 1U);
    BOOST_TEST(second.bytes_orig() == 128U);
    BOOST_TEST(second.flow_id() == first.flow_id());

    send(b, a, 50);
    BOOST_TEST(latest(3).packets_ret() == 1U);
    const event last = check_destroy(w, net.a, mine, the_flow);
    BOOST_TEST(last.flow_id() == first.flow_id());
    w.stop();
    check_nothing_lost(w);
}

BOOST_FIXTURE_TEST_CASE(a_flow_inserted_and_deleted_without_a_packet_has_both_events, one_flow) {
    net.a.run("conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 1001 --dport 2001 "
              "--timeout 600");
    (void)latest(1);
    const event last = check_destroy(w, net.a, mine, the_flow);
    BOOST_TEST(last.packets_orig() == 0U);
    BOOST_TEST(w.count(mine) == 2U);
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_mark_set_later_is_in_the_events_from_then_on, one_flow) {
    send(a, b, 100);
    BOOST_TEST(latest(1).connmark() == 0U);
    net.a.run("conntrack -U " + the_flow + " --mark 7");
    BOOST_TEST(latest(1).connmark() == 0U); // No packet, no event.
    send(a, b, 100);
    BOOST_TEST(latest(2).connmark() == 7U);
    net.a.run("conntrack -U " + the_flow + " --mark 8");
    BOOST_TEST(check_destroy(w, net.a, mine, the_flow).connmark() == 8U);
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_flow_that_was_zeroed_counts_from_there, one_flow) {
    exchange(a, b);
    const auto events = 5U; // As many packets.
    BOOST_TEST(latest(events).packets_orig() == 3U);
    const auto listed = net.a.run("conntrack -L -z");
    BOOST_TEST(listed.find("packets=3 bytes=384") != std::string::npos);
    BOOST_TEST(latest(events).packets_orig() == 3U); // Zeroing alone is no event.

    send(a, b, 10);
    const event after = latest(events + 1);
    BOOST_TEST(after.packets_orig() == 1U);
    BOOST_TEST(after.bytes_orig() == 38U);
    BOOST_TEST(after.packets_ret() == 0U);
    BOOST_TEST(after.bytes_ret() == 0U);
    const event last = check_destroy(w, net.a, mine, the_flow);
    BOOST_TEST(last.packets_orig() == 1U);
    w.stop();
    check_nothing_lost(w);
}

BOOST_AUTO_TEST_SUITE_END()
