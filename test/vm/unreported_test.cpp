// SPDX-License-Identifier: Apache-2.0
//
// Flows that have had no event, since they are too young, refused by a filter, or their event was
// lost: the probe knows them all the same, and gives up what it knows when they end.
#include "support/netns.hpp"
#include "vm/watch.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <thread>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using asio::ip::make_address;
using asio::ip::udp;

namespace {

constexpr std::uint16_t first_port = 3000;
constexpr std::uint16_t flows = 100;

const auto ours = from_port(1001);
const auto updates = ours && of_kind(event_kind::update);
const auto destroys = ours && of_kind(event_kind::destroy);

// Whose conntrack does not note when flows begin.
struct lone_namespace {
    lone_namespace() { ns.sysctl("netfilter/nf_conntrack_timestamp", "0"); }

    udp::socket bind() {
        const netns::inside in(ns);
        return {sockets, udp::endpoint(make_address("127.0.0.1"), 1001)};
    }

    void send(std::uint16_t port) {
        sender.send_to(asio::buffer("x", 1), udp::endpoint(make_address("127.0.0.1"), port));
    }
    void send_all(std::uint16_t count = flows) {
        for (std::uint16_t i = 0; i < count; ++i) {
            send(static_cast<std::uint16_t>(first_port + i));
        }
    }
    void end(std::uint16_t port) { ns.run("conntrack -D -p udp --dport " + std::to_string(port)); }

    // Ends all of them, of which there must be so many.
    void end_all(watch& w, std::uint16_t count = flows) {
        const auto before = w.count(destroys);
        ns.run("conntrack -F");
        w.until("their ends", [&] { return w.count(destroys) == before + count; });
    }

    netns ns{"ctflow-young"};
    asio::io_context sockets; // Never run.
    udp::socket sender = bind();
};

// What finds no place is counted.
void check_all_found_places(const watch& w) {
    BOOST_TEST(w.stats().flows_untracked == 0U);
    BOOST_TEST(w.stats().packets_untracked == 0U);
}

config room_for(std::uint32_t count) {
    auto c = config_under_test();
    c.max_flows = count;
    return c;
}

std::chrono::nanoseconds since(boot_clock::time_point t) {
    return boot_clock::now() - t;
}

// A duration that lies between what passed between two looks at the clock, and around these.
void check_duration(const event& e, std::chrono::nanoseconds least, std::chrono::nanoseconds most) {
    BOOST_REQUIRE(e.duration().has_value());
    BOOST_TEST(e.duration()->count() >= (least - 1us).count());
    BOOST_TEST(e.duration()->count() <= most.count());
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(unreported, lone_namespace)

BOOST_AUTO_TEST_CASE(flows_that_end_too_young_give_back_their_places) {
    auto c = room_for(flows + flows / 2);
    c.curve0.age = 1h;
    c.curve1.age = 2h;
    c.curve2.age = 3h;
    watch w(c);
    for (int round = 0; round < 3; ++round) {
        send_all();
        send_all();
        end_all(w);
    }
    w.stop();
    BOOST_TEST(w.count(updates) == 0U);
    for (const auto& e : w.select(destroys)) {
        BOOST_TEST(e.packets_orig() == 2U);
        BOOST_TEST(e.duration().has_value());
    }
    check_all_found_places(w);
}

BOOST_AUTO_TEST_CASE(so_do_those_whose_first_event_came_late) {
    auto c = room_for(flows + flows / 2);
    c.curve0 = {100ms, 1h};
    watch w(c);
    for (std::size_t round = 1; round <= 3; ++round) {
        send_all();
        std::this_thread::sleep_for(200ms);
        send_all();
        w.until("their updates", [&] { return w.count(updates) == round * flows; });
        end_all(w);
    }
    w.stop();
    for (const auto& e : w.select(destroys)) {
        BOOST_REQUIRE(e.duration().has_value());
        BOOST_TEST((*e.duration() >= 200ms));
    }
    check_all_found_places(w);
}

BOOST_AUTO_TEST_CASE(so_do_those_that_a_filter_refused) {
    auto c = room_for(flows + flows / 2);
    c.filter = ctflow::filter::parse("packets >= 2");
    watch w(c);
    for (int round = 0; round < 3; ++round) {
        send_all();
        ns.run("conntrack -F");
        w.idle(100ms);
    }
    send_all();
    send_all(); // Of which the kernel may know nothing yet: it asks each second.
    end_all(w);
    w.stop();
    BOOST_TEST(w.count(destroys) == flows);
    check_all_found_places(w);
}

BOOST_AUTO_TEST_CASE(so_do_those_whose_event_found_no_room) {
    auto c = room_for(5 * flows);
    c.buffer_pages = 1;
    watch w(c);
    const bool netfilter = attach_under_test() == attach_mode::netfilter;
    for (int round = 0; round < 3; ++round) {
        send_all(4 * flows); // While nobody reads.
        if (netfilter) {
            const auto lost = w.stats().perf_events_update_lost;
            BOOST_TEST(lost > 0U);
            w.poll();
            send_all(flows); // They have not spoken: their next packet is to.
            w.idle(100ms);
            BOOST_TEST(w.stats().perf_events_update_lost == lost);
        }
        const auto before = w.count(destroys);
        ns.run("conntrack -F");
        w.until("ends", [&] { return w.count(destroys) > before; });
        w.idle(200ms);
    }
    w.stop();
    check_all_found_places(w);
}

BOOST_AUTO_TEST_CASE(the_age_of_a_flow_that_is_refused_is_known) {
    constexpr auto age = 1500ms;
    auto c = every_packet("age >= 1500ms");
    watch w(c);
    const auto before = boot_clock::now();
    send(3001); // Has an event when it is old enough,
    send(3002); // ends as old,
    send(3003); // and young.
    const auto after = boot_clock::now();
    end(3003);
    w.idle(500ms);
    send(3001);
    w.idle(100ms);
    const bool young = since(before) < age; // Unless the machine had no time for us.
    BOOST_TEST((!young || w.count(ours) == 0));
    w.idle(age + 100ms);
    send(3001);
    w.until("its update", [&] { return w.count(updates && to_port(3001)) != 0; });
    BOOST_TEST(w.select(updates).back().packets_orig() == 3U);
    for (const auto port : std::array<std::uint16_t, 2>{3001, 3002}) {
        const auto least = since(after);
        end(port);
        w.until("its end", [&] { return w.count(destroys && to_port(port)) == 1; });
        check_duration(w.select(destroys).back(), least, since(before));
    }
    w.stop();
    BOOST_TEST((!young || w.count(to_port(3003)) == 0));
}

BOOST_AUTO_TEST_CASE(a_flow_that_follows_another_of_its_tuple_has_its_own_age) {
    auto c = every_packet("packets >= 1000");
    watch w(c);
    send(3001);
    w.idle(50ms);
    for (int i = 0; i < 5; ++i) { // Each begins before the end of the one before is read.
        end(3001);
        send(3001);
    }
    w.idle(50ms);
    end(3001);
    const auto before = boot_clock::now();
    send(3001);
    const auto after = boot_clock::now();
    w.idle(300ms);
    w.set_filter(ctflow::filter());
    const auto least = since(after);
    end(3001);
    w.until("its end", [&] { return w.count(destroys) == 1; });
    check_duration(w.select(destroys).back(), least, since(before));
    w.stop();
}

BOOST_AUTO_TEST_SUITE_END()
