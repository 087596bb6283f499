// SPDX-License-Identifier: Apache-2.0
//
// What an event says beyond its record.
#include <ctflow/event.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <bitset>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace {

using namespace ctflow;
using namespace std::chrono_literals;
using boost::asio::ip::make_address;

ctflow_record some_flow(event_kind kind = event_kind::update) {
    ctflow_record r{};
    ::inet_pton(AF_INET, "10.1.0.2", r.src_addr);
    ::inet_pton(AF_INET, "203.0.113.7", r.dst_addr);
    r.src_port = htons(1001);
    r.dst_port = htons(80);
    r.proto = IPPROTO_TCP;
    r.family = AF_INET;
    r.conntrack = 0xffff888012345600;
    r.kind = static_cast<unsigned char>(kind) & 0xf;
    return r;
}

ctflow_trailer some_trailer(unsigned parts, unsigned status = 0) {
    ctflow_trailer t{};
    t.parts = parts | CTFLOW_TRAILER_STATUS;
    t.status = status;
    return t;
}

ctflow_ends ends(const char* src, std::uint16_t src_port, const char* dst, std::uint16_t dst_port) {
    ctflow_ends e{};
    ::inet_pton(AF_INET, src, e.src_addr);
    ::inet_pton(AF_INET, dst, e.dst_addr);
    e.src_port = htons(src_port);
    e.dst_port = htons(dst_port);
    return e;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(details)

BOOST_AUTO_TEST_CASE(a_plain_flow_has_none) {
    const event e(some_flow());
    BOOST_TEST(!e.has_details());
    BOOST_TEST(!e.trailer());
    BOOST_TEST(!e.has_nat());
    BOOST_TEST((e.reply() == e.original().mirrored()));
    BOOST_TEST(e.zone() == 0);
    BOOST_TEST((e.zone_direction() == zone_direction::both));
    BOOST_TEST(e.labels().none());
    BOOST_TEST((e.offload() == flow_offload::none));
    BOOST_TEST(!e.master());
    BOOST_TEST(!e.tcp_sides());
    BOOST_TEST(!e.process());
    BOOST_TEST(!e.duration());
    BOOST_TEST((e.end_reason() == end_reason::unknown));
    BOOST_TEST((e.status() == flow_status::none));
}

BOOST_AUTO_TEST_CASE(its_status_is_in_its_record) {
    for (const auto kind : {event_kind::update, event_kind::destroy}) {
        // Of these bits, each set but half of NAT's, without or with the one that an end has.
        for (unsigned bits = 0; bits < 16; ++bits) {
            auto r = some_flow(kind);
            const unsigned status = bits % 8 << 1 | (bits / 8 != 0 ? CTFLOW_STATUS_NAT_DONE : 0) |
                                    (kind == event_kind::destroy ? CTFLOW_STATUS_DYING : 0);
            ctflow_set_status(&r, status);
            BOOST_TEST(ctflow_status_of(&r) == status);
            BOOST_TEST((event(r).status() == static_cast<flow_status>(status)));
            BOOST_TEST((event(r).kind() == kind));
        }
    }
}

BOOST_AUTO_TEST_CASE(nat_shows_in_the_reply_direction) {
    auto t = some_trailer(CTFLOW_TRAILER_REPLY, 0x1be);
    t.reply = ends("192.0.2.2", 2001, "192.0.2.1", 40000);
    const event e(some_flow(), t);
    BOOST_TEST(e.has_nat());
    BOOST_TEST(e.reply().src_addr == make_address("192.0.2.2"));
    BOOST_TEST(e.reply().dst_addr == make_address("192.0.2.1"));
    BOOST_TEST(e.reply().src_port == 2001);
    BOOST_TEST(e.reply().dst_port == 40000);
    BOOST_TEST(e.src_addr() == make_address("10.1.0.2"));
    BOOST_TEST(has(e.status(), flow_status::src_nat | flow_status::dst_nat));
    BOOST_TEST(contains(to_string(e), "10.1.0.2:1001 > 203.0.113.7:80 (nat 192.0.2.1:40000 > "
                                      "192.0.2.2:2001) orig "));
}

BOOST_AUTO_TEST_CASE(each_detail_is_read_from_its_place) {
    auto t = some_trailer(CTFLOW_TRAILER_LABELS | CTFLOW_TRAILER_TCP, 0x400e);
    t.offload = 1;
    t.zone = 7;
    t.zone_dir = 1;
    t.labels[0] = 1U << 3;
    t.labels[1] = 1ULL << 63;
    t.tcp_flags[0] = 0x05;
    t.tcp_scale[0] = 7;
    t.tcp_flags[1] = 0x22;
    t.tcp_scale[1] = 9;
    const event e(some_flow(), t);
    BOOST_TEST(e.zone() == 7);
    BOOST_TEST((e.zone_direction() == zone_direction::original));
    BOOST_TEST(e.labels() == (std::bitset<128>(1) << 3 | std::bitset<128>(1) << 127));
    BOOST_TEST((e.offload() == flow_offload::software));
    BOOST_REQUIRE(e.tcp_sides());
    BOOST_TEST((*e.tcp_sides() == tcp_sides{{0x05, 7}, {0x22, 9}}));
    BOOST_TEST(e.tcp_sides()->orig.closed_first());
    BOOST_TEST(!e.tcp_sides()->ret.closed_first());
    BOOST_TEST(contains(to_string(e), " flags 0x05,0x22 window scales 7,9 "));
    BOOST_TEST(contains(to_string(e), " zone 7 original labels 3,127 offload software "));

    t.offload = 2;
    BOOST_TEST((event(some_flow(), t).offload() == flow_offload::hardware));
}

BOOST_AUTO_TEST_CASE(a_master_is_known_by_its_id) {
    auto t = some_trailer(CTFLOW_TRAILER_MASTER, 1);
    t.master = 0xffff888012340000;
    t.master_ends = ends("10.1.0.2", 1000, "203.0.113.7", 21);
    t.master_proto = IPPROTO_TCP;
    t.master_family = AF_INET;
    const event e(some_flow(), t);

    auto control = some_flow();
    control.conntrack = t.master;
    control.src_port = htons(1000);
    control.dst_port = htons(21);
    BOOST_REQUIRE(e.master());
    BOOST_TEST(e.master()->conntrack == t.master);
    BOOST_TEST(e.master()->flow_id == event(control).flow_id());
    BOOST_TEST((e.master()->original == event(control).original()));
    BOOST_TEST(e.master()->proto == IPPROTO_TCP);
    BOOST_TEST(contains(to_string(e), " master tcp 10.1.0.2:1000 > 203.0.113.7:21 "));
}

BOOST_AUTO_TEST_CASE(the_process_that_began_it_has_any_name) {
    auto t = some_trailer(CTFLOW_TRAILER_PROCESS, 0xe);
    t.pid = 4194304;
    t.cgroup = 1ULL << 40;
    std::memcpy(t.comm, "curl\0left-behind", sizeof(t.comm));
    const event e(some_flow(), t);
    BOOST_REQUIRE(e.process());
    BOOST_TEST((*e.process() == flow_process{4194304, 1ULL << 40, "curl"}));
    BOOST_TEST(contains(to_string(e), " pid 4194304 (curl) cgroup 1099511627776 "));

    std::memcpy(t.comm, "all sixteen are.", sizeof(t.comm));
    BOOST_TEST(event(some_flow(), t).process()->comm == "all sixteen are.");
    std::memcpy(t.comm, "\x1b[2J\n\\\xff\0.......", sizeof(t.comm));
    BOOST_TEST(contains(to_string(event(some_flow(), t)), R"( (\x1b[2J\x0a\x5c\xff) cgroup )"));

    t.parts = CTFLOW_TRAILER_STATUS;
    BOOST_TEST(!event(some_flow(), t).process());
}

BOOST_AUTO_TEST_CASE(an_end_has_a_reason_and_a_duration) {
    auto r = some_flow(event_kind::destroy);
    r.end_reason = CTFLOW_END_TIMEOUT;
    ctflow_trailer t{};
    t.duration = 12'345'678'901;
    const event e(r, t);
    BOOST_TEST(!e.has_details());
    BOOST_TEST((e.end_reason() == end_reason::timeout));
    BOOST_REQUIRE(e.duration());
    BOOST_TEST((*e.duration() == 12'345'678'901ns));
    BOOST_TEST(contains(to_string(e), " timeout after 12.345 s "));
}

BOOST_AUTO_TEST_CASE(copies_share_their_details) {
    auto t = some_trailer(CTFLOW_TRAILER_LABELS, 0xe);
    t.labels[0] = 5;
    t.zone = 9;
    t.duration = 77;
    const event detailed(some_flow(), t);
    BOOST_TEST(detailed.duration()->count() == 77);

    event copy(detailed);
    BOOST_TEST(copy.trailer() == detailed.trailer());
    BOOST_TEST(std::memcmp(copy.trailer(), &t, sizeof(t)) == 0);
    copy = event(some_flow());
    BOOST_TEST(!copy.has_details());
    BOOST_TEST(copy.zone() == 0);
    BOOST_TEST(!copy.duration());
    BOOST_TEST(detailed.zone() == 9);
    const event moved(std::move(copy = detailed));
    BOOST_TEST(moved.trailer() == detailed.trailer());
    copy = detailed;
    const event& itself = copy;
    copy = itself;
    BOOST_TEST(copy.trailer() == detailed.trailer());
}

BOOST_AUTO_TEST_CASE(bits_of_the_status_have_the_kernels_names) {
    BOOST_TEST(to_string(flow_status::none).empty());
    BOOST_TEST(to_string(flow_status::seen_reply | flow_status::assured | flow_status::confirmed) ==
               "SEEN_REPLY,ASSURED,CONFIRMED");
    BOOST_TEST(to_string(static_cast<flow_status>(0xffff)) ==
               "EXPECTED,SEEN_REPLY,ASSURED,CONFIRMED,SRC_NAT,DST_NAT,SEQ_ADJUST,SRC_NAT_DONE,"
               "DST_NAT_DONE,DYING,FIXED_TIMEOUT,TEMPLATE,NAT_CLASH,HELPER,OFFLOAD,HW_OFFLOAD");
    BOOST_TEST(to_string(static_cast<flow_status>(0x80010001)) == "EXPECTED,0x80010000");
}

BOOST_AUTO_TEST_CASE(all_else_has_a_name_too) {
    const auto names = [](auto... values) {
        return std::vector<std::string>{to_string(values)...};
    };
    BOOST_TEST((names(end_reason::unknown, end_reason::timeout, end_reason::closed,
                      end_reason::deleted, end_reason::evicted) ==
                std::vector<std::string>{"unknown", "timeout", "closed", "deleted", "evicted"}));
    BOOST_TEST((names(flow_offload::none, flow_offload::software, flow_offload::hardware) ==
                std::vector<std::string>{"none", "software", "hardware"}));
    BOOST_TEST((names(zone_direction::original, zone_direction::reply, zone_direction::both) ==
                std::vector<std::string>{"original", "reply", "both"}));
}

BOOST_AUTO_TEST_SUITE_END()
