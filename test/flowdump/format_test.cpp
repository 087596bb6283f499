// SPDX-License-Identifier: Apache-2.0
#include "format.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace {

ctflow_record some_record() {
    ctflow_record r{};
    r.start = 1'700'000'000'123'456'789;
    r.timestamp = 42'000'000'001;
    r.conntrack = 0xffff888012345600;
    r.packets_orig = 3;
    r.bytes_orig = 384;
    r.packets_ret = 2;
    r.bytes_ret = 456;
    r.connmark = 7;
    r.netns = 4026531840;
    r.src_port = htons(40001);
    r.dst_port = htons(53);
    r.proto = IPPROTO_UDP;
    r.family = AF_INET;
    r.kind = CTFLOW_RECORD_UPDATE;
    return r;
}

void set_v6(unsigned char (&out)[16], const char* text) {
    const auto bytes = boost::asio::ip::make_address_v6(text).to_bytes();
    std::copy(bytes.begin(), bytes.end(), out);
}

} // namespace

BOOST_AUTO_TEST_SUITE(format)

BOOST_AUTO_TEST_CASE(ipv4_update) {
    auto r = some_record();
    const unsigned char from[] = {192, 0, 2, 1};
    const unsigned char to[] = {192, 0, 2, 2};
    std::copy(std::begin(from), std::end(from), r.src_addr);
    std::copy(std::begin(to), std::end(to), r.dst_addr);
    const ctflow::event e(r);
    BOOST_TEST(flowdump::to_json(e) ==
               R"({"event":"update","start":1700000000123456789,"timestamp":42000000001,)"
               R"("flow_id":)" +
                   std::to_string(e.flow_id()) +
                   R"(,"connmark":7,"src_addr":"192.0.2.1","dst_addr":"192.0.2.2",)"
                   R"("packets_orig":3,"bytes_orig":384,"packets_ret":2,"bytes_ret":456,)"
                   R"("src_port":40001,"dst_port":53,"netns":4026531840,"proto":17,)"
                   R"("status":[]})");
}

// An example of the specification's.
BOOST_AUTO_TEST_CASE(with_a_community_id) {
    auto r = some_record();
    const unsigned char from[] = {192, 168, 1, 52};
    const unsigned char to[] = {8, 8, 8, 8};
    std::copy(std::begin(from), std::end(from), r.src_addr);
    std::copy(std::begin(to), std::end(to), r.dst_addr);
    r.src_port = htons(54585);
    const ctflow::event e(r);
    const auto json = flowdump::to_json(e);
    BOOST_TEST(flowdump::to_json(e, 0) ==
               json.substr(0, json.size() - 1) +
                   R"(,"community_id":"1:d/FP5EW3wiY1vCndhwleRRKHowQ="})");
    BOOST_TEST(flowdump::to_text(e, 1) == to_string(e) + " 1:Q9We8WO3piVF8yEQBNJF4uiSVrI=");
    BOOST_TEST(flowdump::to_text(e, {}) == to_string(e));
}

BOOST_AUTO_TEST_CASE(ipv6_destroy) {
    auto r = some_record();
    set_v6(r.src_addr, "2001:db8::1");
    set_v6(r.dst_addr, "2001:db8::ff");
    r.family = AF_INET6;
    r.proto = IPPROTO_ICMPV6; // Without ports, whatever is in their place.
    r.kind = CTFLOW_RECORD_DESTROY;
    r.start = 0;
    r.packets_orig = std::numeric_limits<std::uint64_t>::max();
    const ctflow::event e(r);
    BOOST_TEST(flowdump::to_json(e) ==
               R"({"event":"destroy","start":0,"timestamp":42000000001,"flow_id":)" +
                   std::to_string(e.flow_id()) +
                   R"(,"connmark":7,"src_addr":"2001:db8::1","dst_addr":"2001:db8::ff",)"
                   R"("packets_orig":18446744073709551615,"bytes_orig":384,"packets_ret":2,)"
                   R"("bytes_ret":456,"src_port":0,"dst_port":0,"netns":4026531840,"proto":58,)"
                   R"("status":["DYING"],"end_reason":"unknown"})");
}

BOOST_AUTO_TEST_CASE(a_connection_has_its_state) {
    auto r = some_record();
    r.proto = IPPROTO_TCP;
    r.tcp_state = 3;
    const auto json = flowdump::to_json(ctflow::event(r));
    BOOST_TEST(json.substr(json.find(R"("status")")) ==
               R"("status":[],"tcp_state":"ESTABLISHED"})");
}

BOOST_AUTO_TEST_CASE(what_few_flows_have_comes_behind) {
    auto r = some_record();
    r.proto = IPPROTO_TCP;
    r.kind = CTFLOW_RECORD_DESTROY;
    r.end_reason = CTFLOW_END_CLOSED;
    ctflow_trailer t{};
    t.parts = CTFLOW_TRAILER_STATUS | CTFLOW_TRAILER_REPLY | CTFLOW_TRAILER_LABELS |
              CTFLOW_TRAILER_MASTER | CTFLOW_TRAILER_TCP | CTFLOW_TRAILER_PROCESS;
    t.duration = 1'500'000'000;
    t.status = 0x401f;
    t.zone = 7;
    t.offload = 1;
    t.zone_dir = 3;
    t.labels[0] = 0x28;
    t.reply.dst_addr[0] = 10;
    t.reply.src_port = htons(53);
    t.reply.dst_port = htons(40002);
    t.master = 1;
    t.master_proto = IPPROTO_TCP;
    t.master_family = AF_INET;
    t.master_ends.src_port = htons(21);
    t.tcp_flags[0] = 5;
    t.tcp_scale[1] = 7;
    t.pid = 4711;
    t.cgroup = 42;
    std::memcpy(t.comm, "a \"b\"\xc3\xa9\xc3\n", sizeof("a \"b\"\xc3\xa9\xc3\n"));
    const ctflow::event e(r, t);
    const auto json = flowdump::to_json(e);
    const auto master = std::to_string(e.master()->flow_id);
    BOOST_TEST(
        json.substr(json.find(R"("status")")) ==
        R"("status":["EXPECTED","SEEN_REPLY","ASSURED","CONFIRMED","SRC_NAT","OFFLOAD"],)"
        R"("reply_src_addr":"0.0.0.0","reply_dst_addr":"10.0.0.0","reply_src_port":53,)"
        R"("reply_dst_port":40002,"zone":7,"zone_direction":"both","labels":[3,5],)"
        R"("offload":"software","master":{"flow_id":)" +
            master +
            R"(,"src_addr":"0.0.0.0","dst_addr":"0.0.0.0","src_port":21,"dst_port":0,"proto":6},)"
            R"("tcp_orig":{"flags":5,"window_scale":0},"tcp_ret":{"flags":0,"window_scale":7},)"
            "\"process\":{\"pid\":4711,\"comm\":\"a "
            "\\\"b\\\"\xc3\xa9\\ufffd\\u000a\",\"cgroup\":42},"
            R"("end_reason":"closed","duration":1500000000})");
}

BOOST_AUTO_TEST_CASE(statistics) {
    ctflow::probe_stats p;
    p.perf_events_total = 1;
    p.perf_bytes_total = 2;
    p.perf_events_update = 3;
    p.perf_events_update_lost = 4;
    p.perf_events_destroy = 5;
    p.perf_events_destroy_lost = 6;
    p.updates_without_ring = 7;
    p.destroys_in_reserve = 8;
    p.perf_records_malformed = 9;
    p.flows_untracked = 10;
    p.packets_untracked = 11;
    p.events_unaccounted = 12;
    p.program_misses = 13;
    p.netlink_overruns = 14;
    p.netlink_messages_lost = 15;
    p.destroys_reconstructed = 16;
    ctflow::consumer_stats c;
    c.events_received = 17;
    c.events_lost = 18;
    c.event_queue_length = 19;
    BOOST_TEST(flowdump::stats_json(p, c) ==
               R"({"probe":{"perf_events_total":1,"perf_bytes_total":2,"perf_events_update":3,)"
               R"("perf_events_update_lost":4,"perf_events_destroy":5,)"
               R"("perf_events_destroy_lost":6,"updates_without_ring":7,"destroys_in_reserve":8,)"
               R"("perf_records_malformed":9,"flows_untracked":10,"packets_untracked":11,)"
               R"("events_unaccounted":12,"program_misses":13,"netlink_overruns":14,)"
               R"("netlink_messages_lost":15,"destroys_reconstructed":16},)"
               R"("consumer":{"events_received":17,"events_lost":18,"event_queue_length":19}})");
}

BOOST_AUTO_TEST_CASE(losses) {
    ctflow::probe_stats p;
    ctflow::consumer_stats c;
    BOOST_TEST(flowdump::describe_losses(p, c).empty());
    c.events_lost = 3;
    BOOST_TEST(flowdump::describe_losses(p, c) ==
               "events lost: 0 updates and 0 destroys in the kernel (see --buffer-pages), "
               "3 waiting to be printed (see --queue)");
    p.perf_events_update_lost = 1;
    p.updates_without_ring = 4;
    p.perf_events_destroy_lost = 2;
    BOOST_TEST(flowdump::describe_losses(p, c).starts_with(
        "events lost: 5 updates and 2 destroys in the kernel"));
}

BOOST_AUTO_TEST_CASE(kernel) {
    ctflow::kernel k;
    k.release = "6.1.0-56-cloud-amd64";
    k.attach = ctflow::attach_mode::fentry;
    k.hooks = {{ctflow::hook_role::insert, "__nf_conntrack_hash_insert", "fentry"},
               {ctflow::hook_role::destroy, "nf_ct_destroy", "fentry"}};
    BOOST_TEST(flowdump::describe(k) ==
               "6.1.0-56-cloud-amd64, fentry: __nf_conntrack_hash_insert, nf_ct_destroy");
    k.attach = ctflow::attach_mode::kprobe;
    BOOST_TEST(flowdump::describe(k).starts_with("6.1.0-56-cloud-amd64, kprobe: "));
    k.attach = ctflow::attach_mode::netfilter;
    k.hooks = {{ctflow::hook_role::insert, "LOCAL_IN", "netfilter"},
               {ctflow::hook_role::insert, "POST_ROUTING", "netfilter"},
               {ctflow::hook_role::accounting, "LOCAL_IN", "netfilter"},
               {ctflow::hook_role::accounting, "POST_ROUTING", "netfilter"},
               {ctflow::hook_role::destroy, "ctnetlink", "netlink"}};
    BOOST_TEST(flowdump::describe(k) ==
               "6.1.0-56-cloud-amd64, netfilter: LOCAL_IN, POST_ROUTING, ctnetlink");
    k.hooks.clear();
    BOOST_TEST(flowdump::describe(k) == "6.1.0-56-cloud-amd64, netfilter");
}

BOOST_AUTO_TEST_CASE(better_ways_that_were_refused) {
    ctflow::refused_attach r{ctflow::attach_mode::fentry, ctflow::errc::lockdown, {}};
    const auto why = make_error_code(ctflow::errc::lockdown).message();
    BOOST_TEST(flowdump::describe(r) == "no fentry: " + why);
    r.attach = ctflow::attach_mode::kprobe;
    r.diag = "more";
    BOOST_TEST(flowdump::describe(r) == "no kprobe: " + why + " (more)");
    r.diag = "a log\nof two lines";
    BOOST_TEST(flowdump::describe(r) == "no kprobe: " + why);
}

BOOST_AUTO_TEST_SUITE_END()
