// SPDX-License-Identifier: Apache-2.0
//
// The pace of updates on a real kernel. A flow is fed a packet about each millisecond; each
// packet is accounted between two looks at the clock. By those, and not by how fast the machine
// is, every packet is checked: should it have been reported, or must it not?
#include "support/netns.hpp"
#include "vm/watch.hpp"

#include <boost/asio/ip/udp.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <map>
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

using clock_time = boot_clock::time_point;

struct sent_packet {
    clock_time before;
    clock_time after;
    clock_time tick; // The kernel's last tick before, by which it can tell the end of a cooldown.
};

// A tick can be late: where a virtual machine is kept waiting, say.
std::chrono::nanoseconds since_last_tick() {
    timespec coarse{};
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &coarse);
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::chrono::seconds(now.tv_sec - coarse.tv_sec) +
           std::chrono::nanoseconds(now.tv_nsec - coarse.tv_nsec);
}

struct lone_namespace {
    netns ns{"ctflow-curve"};
    asio::io_context sockets;
    udp::socket sender = bind(1101);
    udp::socket receiver = bind(2101);
    std::vector<sent_packet> sent;

    udp::socket bind(std::uint16_t port) {
        const netns::inside in(ns);
        return {sockets, udp::endpoint(make_address("127.0.0.1"), port)};
    }

    void send_one() {
        const auto before = boot_clock::now();
        const auto tick = before - since_last_tick();
        deliver_from(sender);
        sent.push_back({before, boot_clock::now(), tick});
    }

    // Once a packet has been received, no hook will see it any more.
    void deliver_from(udp::socket& s) {
        s.send_to(asio::buffer("x", 1), receiver.local_endpoint());
        char received{};
        receiver.receive(asio::buffer(&received, 1));
    }

    void send_for(std::chrono::milliseconds duration) {
        const auto end = boot_clock::now() + duration;
        while (boot_clock::now() < end) {
            send_one();
            std::this_thread::sleep_for(1ms);
        }
    }

    // The updates of the flow, by which packet they report (from 1). There is one a packet at most;
    // but a packet that is longer on its way between two of netfilter's hooks than `cooldown`, the
    // shortest, may have one by each. Then it is the last.
    std::map<std::size_t, event> updates(watch& w, std::chrono::nanoseconds cooldown) {
        w.idle(200ms);
        std::map<std::size_t, event> by_packet;
        for (const auto& e : w.select(from_port(1101) && of_kind(event_kind::update))) {
            const auto [found, is_first] = by_packet.try_emplace(e.packets_orig(), e);
            if (!is_first) {
                BOOST_TEST((attach_under_test() == attach_mode::netfilter));
                BOOST_TEST((e.timestamp() - found->second.timestamp() >= cooldown));
                found->second = e;
            }
        }
        return by_packet;
    }
};

config small_curve() {
    config c = config_under_test();
    c.curve0 = {0ms, 10ms};
    c.curve1 = {50ms, 25ms};
    c.curve2 = {100ms, 50ms};
    return c;
}

} // namespace

BOOST_AUTO_TEST_SUITE(curve)

BOOST_FIXTURE_TEST_CASE(updates_come_and_stay_away_as_the_curve_says, lone_namespace) {
    const auto c = small_curve();
    watch w(c);
    send_for(400ms);
    const auto reported = updates(w, c.curve0.rate);
    BOOST_REQUIRE(reported.contains(1)); // The first packet.
    const auto origin =
        std::ranges::min(w.select(from_port(1101)), {}, &event::timestamp).timestamp();

    std::array<int, 3> in_segment{};
    clock_time cooldown_end = origin;
    for (std::size_t packet = 1; packet <= sent.size(); ++packet) {
        const auto [before, after, tick] = sent[packet - 1];
        const auto found = reported.find(packet);
        if (found == reported.end()) {
            BOOST_TEST(tick.time_since_epoch().count() < cooldown_end.time_since_epoch().count(),
                       "packet " << packet << " came after the cooldown and was not reported");
            continue;
        }
        const auto at = found->second.timestamp();
        BOOST_TEST((before <= at && at <= after));
        BOOST_TEST((at >= cooldown_end), "packet " << packet << " was reported in cooldown");
        const auto age = at - origin;
        const auto segment = age >= 100ms ? 2U : age >= 50ms ? 1U : 0U;
        ++in_segment[segment];
        cooldown_end = at + std::array{10ms, 25ms, 50ms}[segment];
    }
    BOOST_TEST_MESSAGE("updates in the segments: " << in_segment[0] << ", " << in_segment[1] << ", "
                                                   << in_segment[2]);
    for (const int n : in_segment) {
        BOOST_TEST(n > 0);
    }
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_first_age_suppresses_the_updates_of_younger_flows, lone_namespace) {
    config c = config_under_test();
    c.curve0 = {150ms, 10ms};
    watch w(c);
    send_for(400ms);
    const auto reported = updates(w, c.curve0.rate);
    BOOST_REQUIRE(!reported.empty());
    // The flow's birth was between the looks at the clock around its first packet.
    for (const auto& [packet, e] : reported) {
        BOOST_TEST((e.timestamp() - sent[0].before >= 150ms));
    }
    for (std::size_t packet = 1; packet < reported.begin()->first; ++packet) {
        BOOST_TEST((sent[packet - 1].tick - sent[0].after < 150ms),
                   "packet " << packet << " was old enough and not reported");
    }
    ns.run("conntrack -D -p udp --orig-port-src 1101");
    w.until("the destroy event",
            [&] { return w.count(from_port(1101) && of_kind(event_kind::destroy)) == 1; });
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_flow_that_ends_young_has_its_destroy_event_alone, lone_namespace) {
    config c = config_under_test();
    c.curve0 = {30s, 10ms};
    watch w(c);
    send_for(50ms);
    ns.run("conntrack -D -p udp --orig-port-src 1101");
    w.until("the destroy event",
            [&] { return w.count(from_port(1101) && of_kind(event_kind::destroy)) == 1; });
    BOOST_TEST(updates(w, c.curve0.rate).empty());
    BOOST_TEST(w.select(from_port(1101)).front().packets_orig() == sent.size());
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_flow_older_than_the_probe_counts_as_of_the_second_points_age,
                        lone_namespace) {
    send_for(20ms);
    const auto old_packets = sent.size();
    config c = config_under_test();
    c.curve0 = {0ms, 1ms};
    c.curve1 = {10s, 60s};
    watch w(c);
    send_for(200ms);
    const auto reported = updates(w, c.curve0.rate);
    // Its first packet under watch, and then, at the second point's rate, none for a minute.
    BOOST_REQUIRE_EQUAL(reported.size(), 1U);
    BOOST_TEST(reported.begin()->first == old_packets + 1);
    w.stop();
}

// As if its insert had gone unseen: it is found at a later packet. Its start tells that it is new.
BOOST_FIXTURE_TEST_CASE(a_flow_that_found_no_place_at_first_is_young_once_it_has_one,
                        lone_namespace) {
    config c = config_under_test();
    c.max_flows = 1;
    c.curve0 = {0ms, 1ms};
    c.curve1 = {10s, 60s};
    watch w(c);
    auto other = bind(1102);
    deliver_from(other);
    send_one();
    BOOST_TEST(w.stats().flows_untracked == 1U);
    send_for(20ms);
    // Over loopback, a packet goes by two of netfilter's hooks.
    const auto looks = attach_under_test() == attach_mode::netfilter ? 2U : 1U;
    BOOST_TEST(w.stats().packets_untracked == looks * sent.size() - 1);
    const auto unseen = sent.size();

    ns.run("conntrack -D -p udp --orig-port-src 1102");
    w.until("its end", [&] {
        return w.count(from_port(1102) && of_kind(event_kind::destroy)) == 1;
    }); // By netfilter, its place is free only then.
    send_for(20ms);
    std::this_thread::sleep_for(c.curve0.rate); // Should all of that have been one packet.
    send_one();
    const auto reported = updates(w, c.curve0.rate);
    BOOST_TEST(reported.contains(1));
    BOOST_TEST(reported.contains(unseen + 1)); // By which it gets the place.
    BOOST_TEST(reported.size() > 2U);          // The old have none for a minute.
    w.stop();
}

BOOST_AUTO_TEST_SUITE_END()
