// SPDX-License-Identifier: Apache-2.0
//
// Ends of flows for which conntrack's table has no room.
#include "vm/world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using asio::ip::udp;

namespace {

// A table with room for so many flows in each namespace, and so few places that there is always a
// flow near the one that wants to come in.
struct small_table : world {
    static constexpr std::size_t room = 400;

    scoped_sysctl buckets{"netfilter/nf_conntrack_buckets", "512"};
    scoped_sysctl max{"netfilter/nf_conntrack_max", std::to_string(room)};
    udp::socket receiver = bind_udp(net.b, "192.0.2.2", 2001);

    small_table() {
        for (const netns* ns : {&net.a, &net.b}) { // None is to end by itself, however slow we are.
            ns->sysctl("netfilter/nf_conntrack_udp_timeout", "600");
        }
    }

    void send_from(std::uint16_t first, std::uint16_t count) {
        for (std::uint16_t i = 0; i < count; ++i) {
            auto from = bind_udp(net.a, "192.0.2.1", static_cast<std::uint16_t>(first + i));
            boost::system::error_code full; // Where not even an eviction has made room.
            from.send_to(asio::buffer("text", 4), receiver.local_endpoint(), 0, full);
        }
    }
};

// Evictions by early_drop(), as conntrack counts them.
std::size_t early_drops(const netns& ns) {
    const std::string text = ns.run("conntrack -S");
    const std::string key = " early_drop=";
    std::size_t all = 0;
    for (auto at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
        all += std::stoul(text.substr(at + key.size()));
    }
    return all;
}

watch::filter ended(const netns& ns) {
    return in_netns(ns.inode()) && of_kind(event_kind::destroy);
}

watch::filter because(end_reason reason) {
    return [reason](const event& e) {
        return e.end_reason() == reason;
    };
}

} // namespace

BOOST_AUTO_TEST_SUITE(evictions)

BOOST_FIXTURE_TEST_CASE(flows_that_make_room_for_others_are_evicted, small_table,
                        *boost::unit_test::precondition(by_tracing)) {
    watch w;
    constexpr std::uint16_t flows = 1500;
    send_from(1001, flows);
    for (const netns* ns : {&net.a, &net.b}) { // Out of a process's context, and a softirq's.
        BOOST_TEST_CONTEXT(ns->name()) {
            const auto dropped = early_drops(*ns);
            BOOST_TEST(dropped > 0U);
            w.until("their ends", [&] { return w.count(ended(*ns)) >= dropped; });
            const auto evicted = w.count(ended(*ns) && because(end_reason::evicted));
            const auto unknown = w.count(ended(*ns) && because(end_reason::unknown));
            BOOST_TEST_MESSAGE(ns->name() << ": " << dropped << " dropped, " << evicted
                                          << " evicted, " << unknown << " unknown");
            BOOST_TEST(w.count(ended(*ns)) == evicted + unknown);
            BOOST_TEST(evicted > 0U);
            BOOST_TEST(evicted + unknown >= dropped);
            BOOST_TEST(unknown <= dropped / 10);
        }
    }
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(flows_that_are_deleted_are_not_evicted, small_table,
                        *boost::unit_test::precondition(by_tracing)) {
    watch w;
    constexpr std::uint16_t flows = 200;
    send_from(1001, flows);
    w.until("the flows", [&] { return w.count(in_netns(net.a.inode())) >= flows; });
    net.a.run("conntrack -D -p udp");
    w.until("their ends", [&] { return w.count(ended(net.a)) >= flows; });
    BOOST_TEST(w.count(ended(net.a) && because(end_reason::unknown)) == flows);
    w.stop();
}

// It does so once early_drop() has found nobody, among the few places where it looks, and comes by
// once a minute.
BOOST_FIXTURE_TEST_CASE(the_collector_evicts_from_a_table_that_is_nearly_full, small_table,
                        *boost::unit_test::precondition(by_tracing)) {
    const scoped_sysctl sparse("netfilter/nf_conntrack_buckets", "65536");
    watch w;
    send_from(1001, room + 100);
    const auto dropped = early_drops(net.a);
    BOOST_TEST(dropped < 100U);
    w.until("an eviction", [&] { return w.count(ended(net.a)) > dropped; });
    BOOST_TEST(w.count(ended(net.a) && because(end_reason::evicted)) == w.count(ended(net.a)));
    w.stop();
}

BOOST_AUTO_TEST_SUITE_END()
