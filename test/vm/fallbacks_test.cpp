// SPDX-License-Identifier: Apache-2.0
//
// The hooks that are taken where the best are not to be had. Functions that the configuration
// avoids are as good as missing; the events must come all the same.
#include "support/netns.hpp"
#include "support/raw.hpp"
#include "vm/watch.hpp"
#include "vm/world.hpp"

#include <boost/asio/ip/udp.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <list>
#include <set>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/resource.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using asio::ip::make_address;
using asio::ip::udp;

namespace {

using functions = std::set<std::string>;

functions hooked(const probe& p, hook_role role) {
    functions all;
    for (const auto& hook : p.kernel().hooks) {
        if (hook.role == role && hook.function != "early_drop" && hook.function != "gc_worker") {
            all.insert(hook.function);
        }
    }
    return all;
}

config avoiding(std::vector<std::string> names) {
    config c = config_under_test();
    c.avoid_functions = std::move(names);
    return c;
}

struct lone_namespace {
    netns ns{"ctflow-fallback"};
    asio::io_context sockets;
    udp::socket receiver = bind(2001);

    udp::socket bind(std::uint16_t port) {
        const netns::inside in(ns);
        return {sockets, udp::endpoint(make_address("127.0.0.1"), port)};
    }

    // A flow of three packets.
    void make_flow(std::uint16_t port) {
        auto sender = bind(port);
        for (int i = 0; i < 3; ++i) {
            sender.send_to(asio::buffer("x", 1), receiver.local_endpoint());
        }
    }

    static event the_only(watch& w, std::uint16_t port, event_kind kind) {
        const auto mine = from_port(port) && of_kind(kind);
        w.until("an event of the flow", [&] { return w.count(mine) > 0; });
        w.idle(std::chrono::milliseconds(50));
        BOOST_REQUIRE_EQUAL(w.count(mine), 1U);
        return w.select(mine).front();
    }

    void check_first(watch& w, std::uint16_t port, std::uint64_t packets) {
        BOOST_TEST(the_only(w, port, event_kind::update).packets_orig() == packets);
    }
    void check_last(watch& w, std::uint16_t port, std::uint64_t packets) {
        BOOST_TEST(the_only(w, port, event_kind::destroy).packets_orig() == packets);
    }

    // Every way for a flow to begin and to end.
    void check_all_ways(watch& w) {
        ns.run("conntrack -I -p udp -s 127.0.0.1 -d 127.0.0.1 --sport 1001 --dport 2001 -t 100");
        make_flow(1002);
        check_first(w, 1001, 0);
        check_first(w, 1002, 1);
        // Its answers would be those of the first: the kernel finds that out when it inserts it.
        BOOST_CHECK_THROW(ns.run("conntrack -I -p udp -s 127.0.0.1 -d 127.0.0.1 --sport 1009 "
                                 "--dport 2001 -r 127.0.0.1 -q 127.0.0.1 --reply-port-src 2001 "
                                 "--reply-port-dst 1001 -t 100"),
                          std::runtime_error);
        ns.run("conntrack -D -p udp --orig-port-src 1001");
        check_last(w, 1001, 0);
        BOOST_TEST(w.count(from_port(1009)) == 0U);
        ns.run("conntrack -D -p udp --orig-port-src 1002");
        check_last(w, 1002, 3);

        make_flow(1003);
        ns.run("conntrack -F");
        check_first(w, 1003, 1);
        check_last(w, 1003, 3);

        ns.sysctl("netfilter/nf_conntrack_udp_timeout", "1");
        make_flow(1004);
        w.until("the end by timeout", [&] {
            ns.run("conntrack -L"); // Which takes out those that it finds to be over.
            return w.count(from_port(1004) && of_kind(event_kind::destroy)) > 0;
        });
        check_last(w, 1004, 3);
        ns.sysctl("netfilter/nf_conntrack_udp_timeout", "30");

        // Until the address of a flow that has ended is used again: a new flow all the same.
        const auto again = from_port(1005);
        std::set<std::uint64_t> addresses;
        for (std::size_t flows = 1; addresses.size() + 1 >= flows && flows < 100; ++flows) {
            make_flow(1005);
            ns.run("conntrack -D -p udp --orig-port-src 1005");
            w.until("the end of each",
                    [&] { return w.count(again && of_kind(event_kind::destroy)) == flows; });
            BOOST_REQUIRE(w.count(again && of_kind(event_kind::update)) == flows);
            addresses.insert(w.select(again).back().conntrack());
        }
        BOOST_TEST(2 * addresses.size() < w.count(again));
        BOOST_TEST(w.stats().program_misses == 0U);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(fallbacks)

BOOST_FIXTURE_TEST_CASE(the_function_that_inserts_is_inlined_into_its_callers, lone_namespace) {
    watch w(avoiding({"__nf_conntrack_hash_insert"}));
    BOOST_TEST((hooked(w.probe, hook_role::insert) ==
                functions{"__nf_conntrack_confirm", "nf_conntrack_hash_check_insert"}));
    check_all_ways(w);
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_packet_that_is_refused_begins_no_flow, lone_namespace) {
    ns.run("nft 'table ip late { chain post { type filter hook postrouting priority 300; "
           "udp sport 1011 drop; }; }'");
    watch w(avoiding({"__nf_conntrack_hash_insert"}));
    BOOST_CHECK_THROW(make_flow(1011), boost::system::system_error); // EPERM, its rule says.
    make_flow(1012);
    check_first(w, 1012, 1);
    BOOST_TEST(w.count(from_port(1011)) == 0U);
    w.stop();
}

// Flows in the table get answers like those of the flows to come. When the kernel inserts these, it
// finds that out: it gives UDP's packets to the flow that was there, and drops TCP's. Linux 7.3
// drops both.
BOOST_FIXTURE_TEST_CASE(a_packet_that_was_too_late_begins_no_flow, lone_namespace) {
    watch w(avoiding({"__nf_conntrack_hash_insert"}));
    const std::string there = " -s 127.0.0.1 -d 127.0.0.1 --sport 1013 --dport 2001"
                              " -r 127.0.0.1 -q 127.0.0.1 --reply-port-src 2001";
    ns.run("conntrack -I -p udp" + there + " --reply-port-dst 1014 -t 100");
    ns.run("conntrack -I -p tcp" + there + " --reply-port-dst 1015 -t 100 --state ESTABLISHED");
    std::uint64_t given = 3;
    try {
        make_flow(1014);
    } catch (const boost::system::system_error&) { // EPERM.
        given = 0;
    }
    BOOST_TEST(list_flow(ns, "-p udp --orig-port-src 1013").packets_orig == given);

    constexpr std::uint16_t late = 1015;
    const bytes syn = {late >> 8, late & 0xff, 2001 >> 8, 2001 & 0xff, 0, 0, 0, 1, 0, 0,
                       0,         0,           5 << 4,    0x02,        1, 0, 0, 0, 0, 0};
    BOOST_CHECK_THROW(
        send_raw(ns, make_address("127.0.0.1"), make_address("127.0.0.1"), IPPROTO_TCP, syn),
        boost::system::system_error); // EPERM.

    make_flow(1016);
    check_first(w, 1016, 1);
    BOOST_TEST(w.count(from_port(1014)) == 0U);
    BOOST_TEST(w.count(from_port(1015)) == 0U);
    BOOST_TEST(w.stats().events_unaccounted == 0U);
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(no_function_sees_every_end_but_nf_ct_delete, lone_namespace) {
    // Without what catches the ends that others miss: one alone must see them all.
    config c = avoiding({"nf_ct_destroy", "destroy_conntrack", "nf_conntrack_free"});
    error_code ec;
    diagnostics why;
    asio::io_context context;
    const probe fits(context, c, ec, why);
    if (c.attach == attach_mode::fentry && ec == errc::fentry_unavailable &&
        why.find("nf_ct_delete.part.0") != std::string::npos) {
        // The compiler split it: fentry would see few of the ends, and says that it cannot.
        c.attach = attach_mode::kprobe;
    }
    watch w(c);
    const auto taken = hooked(w.probe, hook_role::destroy);
    BOOST_TEST((taken == functions{"nf_ct_delete"} || taken == functions{"nf_ct_delete.part.0"}));
    BOOST_TEST_MESSAGE("hooked: " << *taken.begin());
    check_all_ways(w);
    w.stop();
}

// The SIP helper prolongs a flow for each packet that it sees, which counts as accounting. On lo it
// sees each twice: when it is sent, and when it is received. In between one of two flows is
// deleted, of which nf_ct_delete has told the end.
BOOST_FIXTURE_TEST_CASE(nothing_is_told_of_a_flow_after_its_end, lone_namespace) {
    ns.run(
        "nft 'table ip sip {\n"
        "ct helper sip { type \"sip\" protocol udp; }\n"
        "chain output { type filter hook output priority 0; udp dport 2001 ct helper set sip; }\n"
        "}'");
    ns.run("tc qdisc add dev lo root netem delay 10s");
    config c = every_packet();
    c.avoid_functions = {"nf_ct_destroy", "destroy_conntrack"};
    if (shell("cat /proc/kallsyms").find(" nf_ct_delete.part.0") != std::string::npos) {
        c.attach = attach_mode::kprobe; // See above.
    }
    watch w(c);
    for (const auto port : {std::uint16_t{1021}, std::uint16_t{1022}}) {
        auto sender = bind(port);
        sender.send_to(asio::buffer("x", 1), receiver.local_endpoint());
    }
    ns.run("conntrack -D -p udp --orig-port-src 1021");
    check_last(w, 1021, 1);
    BOOST_REQUIRE_EQUAL(receiver.available(), 0U); // Else nothing would be tested.
    receive(receiver);
    receive(receiver);
    w.until("the accounting of the other flow", [&] { return w.count(from_port(1022)) == 2; });
    BOOST_TEST(w.count(from_port(1021)) == 2U);
    BOOST_TEST((w.select(from_port(1021)).back().kind() == event_kind::destroy));
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(destroy_conntrack_serves_where_there_is_no_nf_ct_destroy, lone_namespace) {
    // One of the two is there, never both: which, tells that the older name is looked for.
    watch w(avoiding({"nf_conntrack_free"}));
    const auto taken = hooked(w.probe, hook_role::destroy);
    const bool old = shell("grep -c ' destroy_conntrack' /proc/kallsyms || true") != "0\n";
    BOOST_TEST((taken == functions{old ? "destroy_conntrack" : "nf_ct_destroy"}));
    check_all_ways(w);
    w.stop();
}

// The kernel allows no more than 38 programs at a function: probes take them all. What fentry is
// then refused, it is when it is attached, not when it is loaded.
BOOST_AUTO_TEST_CASE(automatic_falls_back_where_fentry_can_be_loaded_but_not_attached) {
    if (attach_under_test() == attach_mode::kprobe &&
        shell("ls /sys/kernel/btf").find("nf_conntrack") != std::string::npos) {
        BOOST_TEST_MESSAGE("tested in the run with CTFLOW_ATTACH=fentry");
        return;
    }
    constexpr rlimit plenty{8192, 8192}; // Of descriptors: a probe has some thirty.
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &plenty) == 0);
    config c;
    c.buffer_pages = 1;
    c.max_flows = 1;
    asio::io_context context;
    std::list<probe> crowd;
    do {
        crowd.emplace_back(context, c).start();
    } while (crowd.back().kernel().attach == attach_mode::fentry && crowd.size() < 100);
    BOOST_TEST((crowd.back().kernel().attach == attach_mode::kprobe));
    BOOST_TEST_MESSAGE(crowd.size() - 1 << " probes by fentry");

    error_code ec;
    diagnostics why;
    c.attach = attach_mode::fentry;
    const probe explicit_choice(context, c, ec, why);
    if (crowd.size() > 1) { // Else there is no fentry at all here.
        BOOST_TEST((ec == errc::attach_failed));
        BOOST_TEST(why.find("as many programs") != std::string::npos, why);
    }
    const auto best = crowd.front().kernel().attach;
    crowd.clear();
    c.attach = attach_mode::automatic;
    BOOST_TEST((probe(context, c).kernel().attach == best)); // Nothing was left behind.
}

BOOST_AUTO_TEST_CASE(automatic_is_fentry_wherever_conntrack_has_btf) {
    config c;
    watch w(c);
    const bool has_btf = shell("ls /sys/kernel/btf").find("nf_conntrack") != std::string::npos;
    BOOST_TEST((w.probe.kernel().attach == (has_btf ? attach_mode::fentry : attach_mode::kprobe)));
    w.stop();
}

BOOST_AUTO_TEST_SUITE_END()
