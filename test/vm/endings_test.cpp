// SPDX-License-Identifier: Apache-2.0
//
// How flows end, or never begin: whatever the way, one destroy event for each that did.
#include "cooldown.h"
#include "curve.h"
#include "vm/world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <bpf/bpf.h>
#include <netinet/in.h>
#include <unistd.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using asio::ip::make_address;
using asio::ip::udp;

namespace {

const auto destroyed = of_kind(event_kind::destroy);
const auto updated = of_kind(event_kind::update);

// One namespace, and flows in it from one socket to any port of 127.0.0.1.
struct alone {
    netns ns{"ctflow-alone"};
    asio::io_context sockets; // Never run.
    udp::socket sender = bind(1001);
    watch::filter here = in_netns(ns.inode());

    udp::socket bind(std::uint16_t port) {
        const netns::inside in(ns);
        return {sockets, udp::endpoint(make_address("127.0.0.1"), port)};
    }

    // Returns whether the kernel let it pass. Nobody receives it, which sends no ICMP: the ruleset
    // below drops what has been followed and confirmed, before it reaches a socket.
    bool send(std::uint16_t port, std::size_t size = 10) {
        boost::system::error_code ec;
        sender.send_to(asio::buffer(std::string(size, 'x')),
                       udp::endpoint(make_address("127.0.0.1"), port), 0, ec);
        if (ec && ec != boost::system::errc::operation_not_permitted) {
            throw boost::system::system_error(ec);
        }
        return !ec;
    }

    alone() {
        ns.run("nft 'table ip sink {\n"
               "chain input { type filter hook input priority 10; meta l4proto udp drop; }\n"
               "}'");
    }
};

// The number that follows `key` in each line of a listing.
std::uint64_t sum_of(const std::string& text, const std::string& key) {
    std::uint64_t sum = 0;
    for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at)) {
        at += key.size();
        sum += std::stoull(text.substr(at));
    }
    return sum;
}

// How many flows are whole: their first event has one packet, their last is a destroy event, and
// the only one.
std::size_t whole_flows(const std::vector<event>& events) {
    std::map<std::uint16_t, std::vector<event>> flows;
    for (const event& e : events) {
        flows[e.dst_port()].push_back(e);
    }
    const auto whole = [](auto& flow) {
        auto& of_flow = flow.second;
        std::ranges::sort(of_flow, {}, &event::timestamp);
        return of_flow.front().kind() == event_kind::update &&
               of_flow.front().packets_orig() == 1 &&
               of_flow.back().kind() == event_kind::destroy &&
               std::ranges::count(of_flow, event_kind::destroy, &event::kind) == 1;
    };
    return static_cast<std::size_t>(std::ranges::count_if(flows, whole));
}

// What the programs of the only probe know of flows.
class probe_memory {
public:
    probe_memory() {
        // Maps of former probes may not be gone yet: the last of each name.
        for (__u32 id = 0; bpf_map_get_next_id(id, &id) == 0;) {
            const int fd = bpf_map_get_fd_by_id(id);
            bpf_map_info info{};
            __u32 size = sizeof(info);
            if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) != 0) {
                continue; // It is gone by now.
            }
            const std::string name(static_cast<const char*>(info.name));
            if (name == "cooldowns") {
                bits_ = static_cast<unsigned>(std::countr_zero(info.max_entries));
            }
            int& kept = name == "flows" ? flows_ : name == "cooldowns" ? cooldowns_ : others_;
            if (kept >= 0) {
                ::close(kept);
            }
            kept = fd;
        }
        BOOST_REQUIRE(flows_ >= 0);
        BOOST_REQUIRE(cooldowns_ >= 0);
    }
    ~probe_memory() {
        ::close(flows_);
        ::close(cooldowns_);
        ::close(others_);
    }
    probe_memory(const probe_memory&) = delete;
    probe_memory& operator=(const probe_memory&) = delete;

    std::optional<ctflow_flow_state> state_of(std::uint64_t address) const {
        ctflow_flow_state state{};
        if (bpf_map_lookup_elem(flows_, &address, &state) != 0) {
            return std::nullopt;
        }
        return state;
    }

    // The word that says that it is in cooldown.
    std::optional<std::uint64_t> word_of(std::uint64_t address) const {
        const auto slot = cooldown_slot(address, bits_);
        std::uint64_t word = 0;
        BOOST_REQUIRE_EQUAL(bpf_map_lookup_elem(cooldowns_, &slot, &word), 0);
        if (word == 0 || !cooldown_is_of(word, address, bits_)) {
            return std::nullopt;
        }
        return word;
    }

    void put(std::uint64_t address, const ctflow_flow_state& state, std::uint64_t word) const {
        const auto slot = cooldown_slot(address, bits_);
        BOOST_REQUIRE_EQUAL(bpf_map_update_elem(flows_, &address, &state, BPF_ANY), 0);
        BOOST_REQUIRE_EQUAL(bpf_map_update_elem(cooldowns_, &slot, &word, BPF_ANY), 0);
    }

private:
    int flows_ = -1;
    int cooldowns_ = -1;
    int others_ = -1;
    unsigned bits_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(endings)

// Such a flow has an nf_conn, and its packet is counted, but it never comes into the table.
BOOST_FIXTURE_TEST_CASE(a_flow_refused_by_a_later_rule_has_no_event_at_all, alone) {
    ns.run("nft 'table ip later {\n"
           "counter refused { }\n"
           "chain output { type filter hook output priority 100;\n"
           "udp dport 9 ct state new counter name refused drop; }\n"
           "}'");
    watch w(every_packet());
    for (int i = 0; i < 5; ++i) {
        BOOST_TEST(!send(9));
        BOOST_TEST(send(10)); // A flow that differs in nothing else.
    }
    BOOST_TEST(ns.run("nft list counter ip later refused").find("packets 5 ") != std::string::npos);
    BOOST_TEST(check_destroy(w, ns, to_port(10), "-p udp --orig-port-dst 10").packets_orig() == 5U);
    BOOST_TEST(w.count(here && to_port(10) && updated) == 5U);
    BOOST_TEST(w.count(here && to_port(9)) == 0U);
    BOOST_TEST(w.count(here) == 6U);
    w.stop();
    check_nothing_lost(w);
}

BOOST_FIXTURE_TEST_CASE(flows_deleted_one_by_one_or_flushed_end_once, alone) {
    watch w;
    constexpr std::uint16_t flows = 100;
    for (std::uint16_t i = 0; i < flows; ++i) {
        send(static_cast<std::uint16_t>(3000 + i));
        send(static_cast<std::uint16_t>(3000 + i));
    }
    ns.run("conntrack -D -p udp --orig-port-dst 3000");
    BOOST_TEST(only_destroy(w, here).dst_port() == 3000);
    ns.run("conntrack -F");
    w.until("all ends", [&] { return w.count(here && destroyed) >= flows; });
    w.idle(100ms);
    BOOST_TEST(whole_flows(w.select(here)) == flows);
    for (const event& e : w.select(here && destroyed)) {
        BOOST_TEST(e.packets_orig() == 2U);
        BOOST_TEST(e.bytes_orig() == 2U * 38);
    }
    BOOST_TEST(w.count(here) == 2U * flows);
    w.stop();
    check_nothing_lost(w);
}

BOOST_FIXTURE_TEST_CASE(a_flow_that_timed_out_has_its_final_counters, alone) {
    ns.sysctl("netfilter/nf_conntrack_udp_timeout", "1");
    watch w;
    send(3000, 100);
    send(3000, 200);
    // The kernel removes it when it comes across it; a listing makes it look.
    w.until("the flow's end", [&] {
        ns.run("conntrack -L");
        w.idle(500ms);
        return w.count(here && destroyed) > 0;
    });
    const event last = only_destroy(w, here);
    BOOST_TEST(last.packets_orig() == 2U);
    BOOST_TEST(last.bytes_orig() == 356U);
    BOOST_TEST(w.count(here) == 2U);
    w.stop();
}

// Probes at netfilter's hooks see one namespace, and hold it.
BOOST_AUTO_TEST_CASE(a_deleted_namespace_ends_its_flows,
                     *boost::unit_test::precondition(by_tracing)) {
    watch w;
    constexpr std::uint16_t flows = 50;
    auto gone = std::make_optional<alone>();
    const auto there = gone->here;
    for (std::uint16_t i = 0; i < flows; ++i) {
        gone->send(static_cast<std::uint16_t>(3000 + i));
    }
    w.until("all begins", [&] { return w.count(there && updated) == flows; });
    gone.reset();
    w.until("all ends", [&] { return w.count(there && destroyed) >= flows; });
    w.idle(100ms);
    BOOST_TEST(whole_flows(w.select(there)) == flows);
    BOOST_TEST(w.count(there) == 2U * flows);
    w.stop();
    check_nothing_lost(w);
}

BOOST_FIXTURE_TEST_CASE(flows_older_than_the_probe_end_with_all_that_they_carried, alone) {
    if (attach_under_test() == attach_mode::netfilter) {
        // Or the kernel does not tell the end of flows that began when nobody listened.
        ns.sysctl("netfilter/nf_conntrack_events", "1");
    }
    for (int i = 0; i < 5; ++i) {
        send(3000);
        send(3001);
    }
    watch w;
    send(3001);
    w.until("an update of the flow that goes on", [&] { return w.count(here) > 0; });
    BOOST_TEST(w.select(here).front().packets_orig() == 6U);
    const event silent = check_destroy(w, ns, to_port(3000), "-p udp --orig-port-dst 3000");
    BOOST_TEST(silent.packets_orig() == 5U);
    const event busy = check_destroy(w, ns, to_port(3001), "-p udp --orig-port-dst 3001");
    BOOST_TEST(busy.packets_orig() == 6U);
    BOOST_TEST(w.count(here && to_port(3000)) == 1U);
    BOOST_TEST(w.count(here && to_port(3001)) == 2U);
    w.stop();
}

// A table of 1000 in so few buckets that the kernel always finds a flow to drop near the new one.
BOOST_FIXTURE_TEST_CASE(a_flow_dropped_early_from_a_full_table_ends_once, alone) {
    const scoped_sysctl buckets("netfilter/nf_conntrack_buckets", "512");
    const scoped_sysctl max("netfilter/nf_conntrack_max", "1000");
    watch w;
    constexpr std::uint16_t flows = 3000;
    std::size_t begun = 0;
    for (std::uint16_t i = 0; i < flows; ++i) {
        begun += send(static_cast<std::uint16_t>(3000 + i)) ? 1 : 0;
        w.poll();
    }
    const auto early = sum_of(ns.run("conntrack -S"), "early_drop=");
    BOOST_TEST_MESSAGE(begun << " flows, " << early << " dropped early");
    BOOST_TEST(early > 0U);
    w.until("the dropped flows' ends", [&] { return w.count(here && destroyed) >= early; });
    ns.run("conntrack -F");
    w.until("all ends", [&] { return w.count(here && destroyed) >= begun; });
    w.idle(100ms);
    BOOST_TEST(whole_flows(w.select(here)) == begun);
    BOOST_TEST(w.count(here) == 2 * begun);
    w.stop();
    check_nothing_lost(w);
}

// By netfilter's hooks a flow's first event is sent before conntrack has the last word.
BOOST_FIXTURE_TEST_CASE(a_flow_dropped_at_the_last_moment_has_an_end, alone) {
    if (attach_under_test() != attach_mode::netfilter) {
        BOOST_TEST_MESSAGE("traced, such a flow never begins");
        return;
    }
    ns.run("nft 'table ip last {\n" // Of those at this priority the latest comes first.
           "chain output { type filter hook postrouting priority 2147483646; udp dport 1000-1004 "
           "drop; }\n"
           "}'");
    watch w;
    for (std::uint16_t i = 0; i < 5; ++i) {
        BOOST_TEST(!send(static_cast<std::uint16_t>(1000 + i)));
    }
    w.until("their first events", [&] { return w.count(here && updated) == 5; });
    BOOST_TEST(w.count(here && destroyed) == 0U);
    w.until("their ends", [&] { return w.count(here && destroyed) >= 5; });
    w.idle(100ms);
    BOOST_TEST(whole_flows(w.select(here)) == 5U);
    w.stop();
    BOOST_TEST(w.stats().destroys_reconstructed == 5U);
    check_nothing_lost(w);
}

// The sender's packets end flows of one host, in its thread; those that arrive end flows of the
// other, in a softirq that may come between. The kernel runs no program inside itself: fentry
// has another for such ends, kprobes have not.
BOOST_FIXTURE_TEST_CASE(an_end_that_comes_inside_another_is_told, world) {
    if (attach_under_test() == attach_mode::kprobe) {
        BOOST_TEST_MESSAGE("not possible by kprobe, which loses such ends (README, Limits)");
        return;
    }
    net.a.run("tc qdisc add dev va root netem delay 1ms limit 10000");
    const scoped_sysctl buckets("netfilter/nf_conntrack_buckets", "512");
    const scoped_sysctl max("netfilter/nf_conntrack_max", "3000");
    net.b.run("nft 'table ip quiet {\n" // Nobody receives them.
              "chain output { type filter hook output priority 0; meta l4proto icmp drop; }\n"
              "}'");
    config c = config_under_test();
    c.buffer_pages = 256; // For all the ends at once, below.
    watch w(c);
    auto sender = bind_udp(net.a, "192.0.2.1", 1001);
    const auto udp_in = [](const netns& ns) {
        return in_netns(ns.inode()) && of_proto(IPPROTO_UDP);
    };
    for (int i = 0; i < 9000; ++i) {
        boost::system::error_code refused; // The table may be full for once.
        sender.send_to(
            asio::buffer("x", 1),
            udp::endpoint(make_address("192.0.2.2"), static_cast<std::uint16_t>(3000 + i)), 0,
            refused);
        if (i % 16 == 0) {
            w.poll();
        }
    }
    w.idle(50ms); // What netem holds.
    for (const netns* ns : {&net.a, &net.b}) {
        const auto begun = udp_in(*ns) && updated;
        const auto ended = udp_in(*ns) && destroyed;
        ns->run("conntrack -F");
        const std::size_t flows = w.count(begun);
        BOOST_TEST(flows > 5000U);
        w.until("all ends", [&] { return w.count(ended) >= flows; });
        w.idle(100ms);
        BOOST_TEST(w.count(ended) == flows);
        BOOST_TEST(whole_flows(w.select(udp_in(*ns))) == flows);
        BOOST_TEST_MESSAGE(ns->run("cat /proc/net/stat/nf_conntrack"));
    }
    w.stop();
    BOOST_TEST_MESSAGE(w.stats().program_misses << " programs were not run");
}

// The kernel gives the nf_conn of an ended flow to the next one. With a cooldown of 20 s, nothing
// of what was known of the former may be left.
BOOST_FIXTURE_TEST_CASE(a_flow_at_the_address_of_an_ended_one_starts_afresh, alone) {
    watch w;
    std::map<std::uint64_t, int> lives; // By address.
    std::size_t flows = 0;
    for (int round = 0; round < 50 && lives.size() + 20 > flows; ++round) {
        w.events.clear();
        constexpr std::uint16_t each = 10;
        for (std::uint16_t i = 0; i < each; ++i) {
            const auto port = static_cast<std::uint16_t>(3000 + each * round + i);
            send(port);
            send(port);
        }
        ns.run("conntrack -F");
        w.until("all ends", [&] { return w.count(here && destroyed) >= each; });
        w.idle(10ms);
        BOOST_TEST(whole_flows(w.select(here)) == each);
        BOOST_TEST(w.count(here) == 2U * each); // The second packets are in cooldown.
        for (const event& e : w.select(here && destroyed)) {
            BOOST_TEST(e.packets_orig() == 2U);
            ++lives[e.conntrack()];
        }
        flows += each;
    }
    BOOST_TEST_MESSAGE(flows << " flows at " << lives.size() << " addresses");
    BOOST_TEST(lives.size() + 20 <= flows); // Else nothing has been tested.
    w.stop();
    check_nothing_lost(w);
}

// The former's cooldown would be an hour, the next one's is a millisecond.
BOOST_FIXTURE_TEST_CASE(no_flow_inherits_the_cooldown_of_an_ended_one, alone) {
    config c = config_under_test();
    c.curve0 = {0s, 1ms};
    c.curve1 = {50ms, 1h};
    c.curve2 = {1h, 1h};
    watch w(c);
    std::map<std::uint64_t, int> lives; // By address.
    std::size_t flows = 0;
    for (; flows < 100 && lives.size() + 10 > flows; ++flows) {
        w.events.clear();
        send(3000);
        w.idle(5ms);
        send(3000);
        w.idle(60ms);
        send(3000); // By now, if not before, an hour without updates has begun.
        ns.run("conntrack -F");
        const event last = only_destroy(w, here);
        BOOST_TEST(last.packets_orig() == 3U);
        BOOST_TEST(w.count(here && [](const event& e) {
            return e.kind() == event_kind::update && e.packets_orig() == 2;
        }) == 1U);
        ++lives[last.conntrack()];
    }
    BOOST_TEST_MESSAGE(flows << " flows at " << lives.size() << " addresses");
    BOOST_TEST(lives.size() + 10 <= flows); // Else nothing has been tested.
    w.stop();
}

// A flow leaves nothing behind. But its end can be missed: then what was known of it is still there
// when its address is used again, and the next flow starts afresh all the same. So it is looked for
// here, and then put back.
BOOST_FIXTURE_TEST_CASE(a_flow_starts_afresh_where_the_end_of_another_was_missed, alone) {
    config c = config_under_test();
    c.curve0 = {0s, 1ms};
    c.curve1 = {50ms, 1h};
    c.curve2 = {1h, 1h};
    watch w(c);
    const probe_memory memory;
    std::map<std::uint64_t, int> lives; // By address.
    std::size_t flows = 0;
    for (; flows < 100 && lives.size() + 10 > flows; ++flows) {
        w.events.clear();
        send(3000);
        w.until("its first event", [&] { return w.count(here) == 1; });
        const auto address = w.select(here).front().conntrack();
        w.idle(5ms);
        send(3000);
        w.idle(60ms);
        send(3000); // By now, if not before, an hour without updates has begun,
        send(3000); // and by now in any case this has been noted.
        const auto state = memory.state_of(address);
        const auto word = memory.word_of(address);
        BOOST_REQUIRE(state);
        BOOST_REQUIRE(word);
        ns.run("conntrack -F");
        BOOST_TEST(only_destroy(w, here).packets_orig() == 4U);
        BOOST_TEST(w.count(here && [](const event& e) {
            return e.kind() == event_kind::update && e.packets_orig() == 2;
        }) == 1U);
        BOOST_TEST(!memory.state_of(address));
        BOOST_TEST(!memory.word_of(address));
        memory.put(address, *state, *word);
        ++lives[address];
    }
    BOOST_TEST_MESSAGE(flows << " flows at " << lives.size() << " addresses");
    BOOST_TEST(lives.size() + 10 <= flows); // Else nothing has been tested.
    BOOST_TEST(w.stats().flows_untracked == 0U);

    // Of a flow that is refused there is nothing to tell, whoever had its address.
    ns.run("nft 'table ip later {\n"
           "chain output { type filter hook output priority 100; udp dport 9 drop; }\n"
           "}'");
    w.events.clear();
    for (int i = 0; i < 50; ++i) {
        BOOST_TEST(!send(9));
    }
    send(3000);
    w.until("the flow that was let pass", [&] { return w.count(here && to_port(3000)) > 0; });
    BOOST_TEST(w.count(here && to_port(9)) == 0U);
    w.stop();
}

BOOST_AUTO_TEST_SUITE_END()
