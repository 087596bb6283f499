// SPDX-License-Identifier: Apache-2.0
#include "filter/evaluate.hpp"

#include <ctflow/clock.hpp>
#include <ctflow/event.hpp>
#include <ctflow/filter.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace {

using ctflow::event;
using ctflow::filter;

// 10.0.0.1:40000 > 192.168.1.1:22
ctflow_record tcp_record() {
    ctflow_record r{};
    inet_pton(AF_INET, "10.0.0.1", r.src_addr);
    inet_pton(AF_INET, "192.168.1.1", r.dst_addr);
    r.src_port = htons(40000);
    r.dst_port = htons(22);
    r.proto = IPPROTO_TCP;
    r.family = AF_INET;
    r.connmark = 0x11;
    r.netns = 4026531840;
    r.bytes_orig = 600;
    r.bytes_ret = 400;
    r.packets_orig = 7;
    r.packets_ret = 3;
    return r;
}

ctflow_record ipv6_record() {
    auto r = tcp_record();
    inet_pton(AF_INET6, "2001:db8::1", r.src_addr);
    inet_pton(AF_INET6, "fe80::1", r.dst_addr);
    r.family = AF_INET6;
    return r;
}

bool matches(std::string_view text, const ctflow_record& r) {
    return filter::parse(text).matches(event(r));
}

void yes(std::string_view text, const ctflow_record& r = tcp_record()) {
    BOOST_TEST(matches(text, r), text);
}

void no(std::string_view text, const ctflow_record& r = tcp_record()) {
    BOOST_TEST(!matches(text, r), text);
}

} // namespace

BOOST_AUTO_TEST_SUITE(filter_match)

BOOST_AUTO_TEST_CASE(all_and_nothing) {
    yes("");
    no("not all");
    BOOST_TEST(filter().matches(event()));
}

BOOST_AUTO_TEST_CASE(families) {
    yes("ip");
    no("ip6");
    yes("ip6", ipv6_record());
    no("ip", ipv6_record());
}

BOOST_AUTO_TEST_CASE(protocols) {
    yes("proto tcp");
    no("proto udp");
}

BOOST_AUTO_TEST_CASE(addresses) {
    yes("host 10.0.0.1");
    yes("host 192.168.1.1");
    no("host 10.0.0.2");
    yes("src host 10.0.0.1");
    no("dst host 10.0.0.1");
    yes("dst host 192.168.1.1");
    no("src host 192.168.1.1");
    yes("host 2001:db8::1", ipv6_record());
    no("host 2001:db8::2", ipv6_record());
}

BOOST_AUTO_TEST_CASE(prefixes) {
    yes("net 10.0.0.0/8");
    yes("src net 10.0.0.0/31");
    no("net 10.0.0.2/31");
    no("net 11.0.0.0/8");
    yes("dst net 192.160.0.0/12");
    no("dst net 192.176.0.0/12");
    yes("net 0.0.0.0/0");
    no("net ::/0");
    yes("net ::/0", ipv6_record());
    no("net 0.0.0.0/0", ipv6_record());
    yes("net 2001:db8::/33", ipv6_record());
    no("net 2001:db8:8000::/33", ipv6_record());
    yes("dst net fe80::/10", ipv6_record());
    no("src net fe80::/10", ipv6_record());
}

BOOST_AUTO_TEST_CASE(ports) {
    yes("port 22");
    yes("port 40000");
    no("port 23");
    yes("dst port 22");
    no("src port 22");
    yes("dst port 1-1024");
    no("src port 1-1024");
    yes("port 40000-65535");
    no("port 23-39999");
}

BOOST_AUTO_TEST_CASE(what_has_no_ports_has_no_port) {
    auto r = tcp_record();
    r.proto = IPPROTO_ICMP; // With an id, a type and a code there.
    no("port 22", r);
    no("port 0-65535", r);
    yes("not port 22", r);
    for (const auto proto : {IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_DCCP, IPPROTO_UDPLITE}) {
        r.proto = static_cast<unsigned char>(proto);
        yes("port 22", r);
    }
}

BOOST_AUTO_TEST_CASE(marks) {
    yes("mark 0x11");
    no("mark 0x10");
    yes("mark 0x10/0xf0");
    no("mark 0x20/0xf0");
    yes("mark 0/0");
    yes("mark 0/0x80000000");
}

BOOST_AUTO_TEST_CASE(namespaces_and_zones) {
    yes("netns 4026531840");
    no("netns 1");
    yes("zone 0");
    no("zone 1");
    ctflow_trailer t{};
    t.parts = CTFLOW_TRAILER_STATUS;
    t.zone = 7;
    t.zone_dir = 2; // Whichever direction it holds for.
    const event in_zone(tcp_record(), t);
    BOOST_TEST(filter::parse("zone 7").matches(in_zone));
    BOOST_TEST(!filter::parse("zone 0").matches(in_zone));
}

BOOST_AUTO_TEST_CASE(amounts_are_of_both_directions) {
    yes("bytes >= 1000");
    no("bytes >= 1001");
    yes("bytes < 1001");
    yes("packets >= 10");
    no("packets >= 11");
}

BOOST_AUTO_TEST_CASE(operators) {
    yes("proto tcp and dst net 192.168.0.0/16 and not port 80");
    no("proto tcp and dst net 192.168.0.0/16 and not port 22");
    yes("proto udp or port 22");
    no("not (proto tcp or port 80)");
    yes("proto udp and port 80 or ip");
    no("proto udp and (port 80 or ip)");
}

BOOST_AUTO_TEST_CASE(an_age_is_from_start_to_event) {
    using namespace std::chrono;
    const auto now = ctflow::boot_clock::now();
    const auto start = ctflow::boot_clock::to_sys(now) - 10s;
    auto r = tcp_record();
    r.timestamp = static_cast<unsigned long long>(now.time_since_epoch().count());
    r.start = static_cast<unsigned long long>(start.time_since_epoch().count());
    yes("age >= 9s", r);
    no("age >= 11s", r);

    r.start = 0; // Not known.
    yes("age >= 0s", r);
    no("age >= 1ns", r);
    r.start = static_cast<unsigned long long>((start + 20s).time_since_epoch().count());
    no("age >= 1ns", r); // The clock was set.
}

BOOST_AUTO_TEST_CASE(the_age_of_one_that_has_ended_is_its_duration) {
    using namespace std::chrono;
    const auto now = ctflow::boot_clock::now();
    auto r = tcp_record();
    r.kind = CTFLOW_RECORD_DESTROY;
    r.timestamp = static_cast<unsigned long long>(now.time_since_epoch().count());
    r.start = static_cast<unsigned long long>(
        (ctflow::boot_clock::to_sys(now) - 200s).time_since_epoch().count());
    ctflow_trailer t{};
    t.duration = 80'000'000'000; // It was not taken out when its time was up, but later.
    const event ended(r, t);
    BOOST_TEST(filter::parse("age >= 80s").matches(ended));
    BOOST_TEST(!filter::parse("age >= 81s").matches(ended));
}

BOOST_AUTO_TEST_CASE(a_subject_has_what_the_record_has_and_more) {
    const auto r = tcp_record();
    ctflow_filter_subject s{};
    filter_describe(&s, &r, 7, 1000);
    const auto passes = [&](std::string_view text) {
        return ctflow::filtering::evaluate(filter::parse(text), s);
    };
    BOOST_TEST(passes("zone 7 and age >= 1us and not age >= 1001ns"));
    BOOST_TEST(passes("src host 10.0.0.1 and dst host 192.168.1.1 and src port 40000"));
    BOOST_TEST(passes("dst port 22 and mark 0x11 and netns 4026531840 and proto tcp and ip"));
    BOOST_TEST(passes("bytes >= 1000 and bytes < 1001 and packets >= 10 and packets < 11"));
}

BOOST_AUTO_TEST_SUITE_END()
