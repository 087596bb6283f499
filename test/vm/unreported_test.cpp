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
#include <bit>
#include <chrono>
#include <cstdint>
#include <thread>

#include <unistd.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using asio::ip::make_address;
using asio::ip::udp;

namespace {

constexpr std::uint16_t first_port = 3000;
constexpr std::uint16_t marker = 2999;
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

    // A flow without an event, whose end is not read yet.
    void former(watch& w) {
        send(3001);
        w.idle(50ms);
        end(3001);
    }

    // Has the reader come to know that there are no more ends than those that it has read.
    void catch_up(watch& w) {
        const auto before = w.count(to_port(marker) && destroys);
        send(marker);
        end(marker);
        w.until("the end of the marker",
                [&] { return w.count(to_port(marker) && destroys) == before + 1; });
    }

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

// The last end is of the flow that had the last update, with so many packets in all.
void check_last(const watch& w, std::uint64_t packets, std::chrono::nanoseconds least,
                std::chrono::nanoseconds most) {
    BOOST_REQUIRE(w.count(updates) > 0U);
    const auto last = w.select(destroys).back();
    BOOST_TEST(last.packets_orig() == packets);
    BOOST_TEST(last.conntrack() == w.select(updates).back().conntrack());
    check_duration(last, least, most);
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
        catch_up(w);
        end_all(w);
    }
    w.stop();
    BOOST_TEST(w.count(updates) == 0U);
    for (const auto& e : w.select(destroys)) {
        if (e.dst_port() != marker) {
            BOOST_TEST(e.packets_orig() == 2U);
            BOOST_TEST(e.duration().has_value());
        }
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

BOOST_AUTO_TEST_CASE(so_do_those_whose_event_found_no_room) {
    // Of which the smallest ring has so many: a page for each CPU.
    const auto cpus = std::bit_ceil(static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)));
    const auto places = static_cast<std::uint16_t>(32 * cpus);
    const auto all = static_cast<std::uint16_t>(4 * places);
    auto c = room_for(all + places);
    c.buffer_pages = 1;
    watch w(c);
    const bool netfilter = attach_under_test() == attach_mode::netfilter;
    for (int round = 0; round < 3; ++round) {
        const auto before_all = w.stats().perf_events_update_lost;
        send_all(all); // While nobody reads.
        if (netfilter) {
            // A packet passes by hooks up to four times, the error that answers it too, and is
            // tried once: the next try is a while later.
            const auto lost = w.stats().perf_events_update_lost - before_all;
            BOOST_TEST(lost > 0U);
            BOOST_TEST(lost < 2U * all);
            send_all(all);
            w.idle(200ms);
            const auto told = w.count(updates);
            const auto last = static_cast<std::uint16_t>(first_port + all - 1);
            BOOST_TEST(w.count(updates && to_port(last)) == static_cast<std::size_t>(round));
            send(last);
            w.until("its event", [&] { return w.count(updates) > told; });
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
    w.until("its update", [&] {
        return w.count(updates && to_port(3001) &&
                       [](const event& e) { return e.packets_orig() == 3; }) != 0;
    });
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

// Nobody knows how old the former is. What is known of the latter is not lost for it.
BOOST_AUTO_TEST_CASE(a_flow_that_follows_one_from_before_the_probe_has_its_own_age) {
    ns.sysctl("netfilter/nf_conntrack_events", "1"); // It tells its end, though nobody listens yet.
    ns.run("nft 'table ip t { chain c { type filter hook output priority 0; ct state new; }; }'");
    send(3001);
    std::this_thread::sleep_for(100ms);
    watch w(every_packet("packets >= 1000"));
    w.idle(100ms);
    end(3001);
    const auto before = boot_clock::now();
    send(3001);
    const auto after = boot_clock::now();
    w.set_filter(ctflow::filter());
    // Tracing asks the filter at the end, netfilter when the end is read.
    const std::size_t ends = attach_under_test() == attach_mode::netfilter ? 1 : 0;
    w.until("the first end", [&] { return w.count(destroys) == ends; });
    const bool at_once = since(before) < 1s; // Else the reader takes it to be the latter's.
    for (const auto& e : w.select(destroys)) {
        BOOST_TEST((!at_once || !e.duration().has_value()));
    }
    w.idle(300ms);
    const auto least = since(after);
    end(3001);
    w.until("the second end", [&] { return w.count(destroys) == ends + 1; });
    if (ends == 0 || at_once) {
        check_duration(w.select(destroys).back(), least, since(before));
    }
    w.stop();
}

// A tuple is used again before the end of the former is read, which the filter refused.
BOOST_AUTO_TEST_CASE(the_end_of_who_was_refused_is_not_that_of_his_follower) {
    for (const char* timestamps : {"0", "1"}) {
        ns.sysctl("netfilter/nf_conntrack_timestamp", timestamps);
        watch w(every_packet("packets >= 2"));
        former(w);
        const auto before = boot_clock::now();
        send(3001);
        const auto after = boot_clock::now();
        std::this_thread::sleep_for(1100ms); // It is asked again in a second.
        send(3001);
        w.until("its update", [&] { return w.count(updates) > 0; });
        w.idle(300ms);
        BOOST_TEST(w.count(destroys) == 0U);
        send(3001);
        const auto least = since(after);
        end(3001);
        w.until("its end", [&] { return w.count(destroys) == 1; });
        check_last(w, 3, least, since(before));
        w.stop();
    }
}

BOOST_AUTO_TEST_CASE(nor_if_both_ends_are_read_at_once) {
    for (const char* timestamps : {"0", "1"}) {
        ns.sysctl("netfilter/nf_conntrack_timestamp", timestamps);
        watch w(every_packet("packets >= 2"));
        former(w);
        const auto before = boot_clock::now();
        send(3001);
        const auto after = boot_clock::now();
        std::this_thread::sleep_for(1100ms); // It is asked again in a second.
        send(3001);
        const auto least = since(after);
        end(3001);
        w.until("its end", [&] { return w.count(destroys) == 1; });
        check_last(w, 2, least, since(before));
        w.idle(300ms);
        BOOST_TEST(w.count(destroys) == 1U);
        w.stop();
    }
}

// It has its event as soon as it begins.
BOOST_AUTO_TEST_CASE(nor_if_there_is_another_filter_by_then) {
    for (const char* timestamps : {"0", "1"}) {
        ns.sysctl("netfilter/nf_conntrack_timestamp", timestamps);
        watch w(every_packet("packets >= 1000"));
        former(w);
        w.set_filter(ctflow::filter());
        const auto before = boot_clock::now();
        send(3001);
        const auto after = boot_clock::now();
        w.until("its update", [&] { return w.count(updates) > 0; });
        // Tracing asks the filter at the end, netfilter when the end is read.
        const std::size_t ends = attach_under_test() == attach_mode::netfilter ? 1 : 0;
        w.until("the end of the former", [&] { return w.count(destroys) >= ends; });
        w.idle(300ms);
        BOOST_TEST(w.count(destroys) == ends);
        send(3001);
        const auto least = since(after);
        end(3001);
        w.until("its end", [&] { return w.count(destroys) == ends + 1; });
        check_last(w, 2, least, since(before));
        if (ends != 0) {
            const auto first = w.select(destroys).front();
            BOOST_TEST(first.packets_orig() == 1U);
            BOOST_TEST(first.conntrack() == 0U); // Not known.
        }
        w.stop();
    }
}

// Nor is the end of one that was let through missing because another one, refused, has its tuple
// now.
BOOST_AUTO_TEST_CASE(nor_is_it_that_of_the_next) {
    for (const char* timestamps : {"0", "1"}) {
        ns.sysctl("netfilter/nf_conntrack_timestamp", timestamps);
        watch w(every_packet("packets >= 1000"));
        former(w);
        w.set_filter(ctflow::filter());
        for (int i = 0; i < 3; ++i) {
            send(3001);
        }
        w.set_filter(ctflow::filter::parse("packets >= 1000"));
        end(3001);
        send(3001);
        w.set_filter(ctflow::filter());
        // Tracing has asked the filter at the ends, netfilter does when they are read.
        const std::size_t ends = attach_under_test() == attach_mode::netfilter ? 2 : 0;
        w.until("its updates", [&] { return w.count(updates) > 0; });
        w.until("the ends", [&] { return w.count(destroys) >= ends; });
        const auto conntrack = w.select(updates).back().conntrack();
        w.idle(300ms);
        BOOST_TEST(w.count(destroys) == ends);
        send(3001);
        end(3001);
        w.until("the last end", [&] { return w.count(destroys) == ends + 1; });
        const auto all = w.select(destroys);
        BOOST_TEST(all.back().packets_orig() == 2U);
        if (ends != 0) {
            BOOST_TEST(all[0].packets_orig() == 1U);
            BOOST_TEST(all[0].conntrack() == 0U);
            BOOST_TEST(all[1].packets_orig() == 3U);
            BOOST_TEST(all[1].conntrack() == conntrack);
        }
        w.stop();
    }
}

BOOST_AUTO_TEST_SUITE_END()
