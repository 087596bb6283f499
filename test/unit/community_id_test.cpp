// SPDX-License-Identifier: Apache-2.0
#include <ctflow/community_id.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace {

void set_address(unsigned char (&out)[16], const char* text) {
    const auto address = boost::asio::ip::make_address(text);
    if (address.is_v4()) {
        std::ranges::copy(address.to_v4().to_bytes(), out);
    } else {
        std::ranges::copy(address.to_v6().to_bytes(), out);
    }
}

struct flow {
    int proto;
    const char* from;
    const char* to;
    std::uint16_t from_port = 0;
    std::uint16_t to_port = 0;

    ctflow::event event() const {
        ctflow_record r{};
        r.family = boost::asio::ip::make_address(from).is_v4() ? AF_INET : AF_INET6;
        set_address(r.src_addr, from);
        set_address(r.dst_addr, to);
        r.src_port = htons(from_port);
        r.dst_port = htons(to_port);
        r.proto = static_cast<unsigned char>(proto);
        return ctflow::event(r);
    }
};

// As conntrack has them: an id where others have a port, type and code where they have the other.
flow icmp(int proto, const char* from, const char* to, int type, int code = 0) {
    return {proto, from, to, 4711, static_cast<std::uint16_t>(type << 8 | code)};
}

struct example {
    flow of;
    const char* id;
    const char* seeded; // With seed 1.
};

// Those of the specification: baseline_deflt.json and baseline_seed1.json in its folder baseline.
const example examples[] = {
    {icmp(IPPROTO_ICMPV6, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135),
     "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=", "1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY="},
    {icmp(IPPROTO_ICMPV6, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136),
     "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=", "1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY="},
    {icmp(IPPROTO_ICMPV6, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135),
     "1:zavyT/cezQr1fmImYCwYnMXbgck=", "1:2hSqmsDZ2kdcY9kbiUzOEBic0iM="},
    {icmp(IPPROTO_ICMPV6, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 136),
     "1:zavyT/cezQr1fmImYCwYnMXbgck=", "1:2hSqmsDZ2kdcY9kbiUzOEBic0iM="},
    {icmp(IPPROTO_ICMPV6, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3),
     "1:2ObVBgIn28oZvibYZhZMBgh7WdQ=", "1:lVEtCZpYu84Xqaa++3lXFyuu2n4="},
    {icmp(IPPROTO_ICMPV6, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1,
          4),
     "1:hLZd0XGWojozrvxqE0dWB1iM6R0=", "1:W8MHwXpWzpoSTD+cGcaJr4u0ys8="},
    {icmp(IPPROTO_ICMPV6, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128),
     "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=", "1:GfZxjAkDk2MkegpBYHV6tadtFXQ="},
    {icmp(IPPROTO_ICMPV6, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129),
     "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=", "1:GfZxjAkDk2MkegpBYHV6tadtFXQ="},
    {icmp(IPPROTO_ICMPV6, "fe80::200:86ff:fe05:80da", "ff02::2", 133),
     "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=", "1:L7Ka0ZMYu+J3bL4ulW2PrqyXNo8="},
    {icmp(IPPROTO_ICMPV6, "fe80::260:97ff:fe07:69ea", "ff02::1", 134),
     "1:pkvHqCL88/tg1k4cPigmZXUtL00=", "1:K/ee5UCqAMAQXDorP5nSa2CGLjc="},
    {icmp(IPPROTO_ICMP, "192.168.0.89", "192.168.0.1", 8),
     "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "1:03g6IloqVBdcZlPyX8r0hgoE7kA="},
    {icmp(IPPROTO_ICMP, "192.168.0.1", "192.168.0.89", 0),
     "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "1:03g6IloqVBdcZlPyX8r0hgoE7kA="},
    {icmp(IPPROTO_ICMP, "10.0.0.1", "10.0.0.2", 11),
     "1:YHxtAirCG//0OzkcVAukqKQN9xM=", "1:XjUibYHaafLQ3pxQeiMI8g25q20="},
    {{IPPROTO_TCP, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25},
     "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
     "1:eJYTW6AOzFLlSUoESovMjnu7rMw="},
    {{IPPROTO_TCP, "2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943},
     "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
     "1:eJYTW6AOzFLlSUoESovMjnu7rMw="},
    {{IPPROTO_SCTP, "192.168.170.8", "192.168.170.56", 7, 7},
     "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=",
     "1:5w3ZRjeKBzqT3zsaEECDGjUbYeg="},
    {{IPPROTO_SCTP, "192.168.170.56", "192.168.170.8", 7, 7},
     "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=",
     "1:5w3ZRjeKBzqT3zsaEECDGjUbYeg="},
    {{IPPROTO_TCP, "128.232.110.120", "66.35.250.204", 34855, 80},
     "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
     "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
    {{IPPROTO_TCP, "66.35.250.204", "128.232.110.120", 80, 34855},
     "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
     "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
    {{IPPROTO_UDP, "192.168.1.52", "8.8.8.8", 54585, 53},
     "1:d/FP5EW3wiY1vCndhwleRRKHowQ=",
     "1:Q9We8WO3piVF8yEQBNJF4uiSVrI="},
    {{IPPROTO_UDP, "8.8.8.8", "192.168.1.52", 53, 54585},
     "1:d/FP5EW3wiY1vCndhwleRRKHowQ=",
     "1:Q9We8WO3piVF8yEQBNJF4uiSVrI="},
    {{IPPROTO_RSVP, "10.1.12.1", "10.1.12.2"},
     "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=",
     "1:rYir8gphR31noO9iDRQmF/BteEI="},
    {{IPPROTO_RSVP, "10.1.12.2", "10.1.12.1"},
     "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=",
     "1:rYir8gphR31noO9iDRQmF/BteEI="},
};

} // namespace

BOOST_AUTO_TEST_SUITE(community_id)

BOOST_AUTO_TEST_CASE(the_specifications_examples) {
    for (const auto& e : examples) {
        BOOST_TEST_CONTEXT(e.of.proto << ' ' << e.of.from << ' ' << e.of.to) {
            BOOST_TEST(ctflow::community_id(e.of.event()) == e.id);
            BOOST_TEST(ctflow::community_id(e.of.event(), 1) == e.seeded);
        }
    }
}

// Equal addresses leave it to the ports.
BOOST_AUTO_TEST_CASE(both_directions_have_one) {
    for (const auto* to : {"127.0.0.1", "10.0.0.1", "200.0.0.1"}) {
        const flow there{IPPROTO_TCP, "127.0.0.1", to, 80, 50000};
        const flow back{IPPROTO_TCP, to, "127.0.0.1", 50000, 80};
        BOOST_TEST(ctflow::community_id(there.event()) == ctflow::community_id(back.event()));
    }
}

BOOST_AUTO_TEST_CASE(what_conntrack_keeps_in_place_of_ports_does_not_count) {
    const flow gre{IPPROTO_GRE, "10.0.0.1", "10.0.0.2"};
    const flow with_key{IPPROTO_GRE, "10.0.0.1", "10.0.0.2", 7, 8};
    BOOST_TEST(ctflow::community_id(gre.event()) == ctflow::community_id(with_key.event()));
}

// What is translated has the id that the flow has beyond the translation.
BOOST_AUTO_TEST_CASE(the_translated_one_is_that_of_the_flow_outside) {
    const auto translate = [](const flow& inside, const flow& outside) {
        const auto o = outside.event().record();
        ctflow_trailer t{};
        t.parts = CTFLOW_TRAILER_STATUS | CTFLOW_TRAILER_REPLY;
        std::ranges::copy(o.dst_addr, t.reply.src_addr);
        std::ranges::copy(o.src_addr, t.reply.dst_addr);
        t.reply.src_port = o.dst_port;
        t.reply.dst_port = o.src_port;
        return ctflow::event(inside.event().record(), t);
    };
    const flow inside{IPPROTO_TCP, "10.0.0.1", "203.0.113.7", 1001, 80};
    const flow outside{IPPROTO_TCP, "192.0.2.1", "192.0.2.2", 40000, 8080};
    for (const auto seed : {std::uint16_t{0}, std::uint16_t{1}}) {
        const auto e = translate(inside, outside);
        BOOST_TEST(ctflow::translated_community_id(e, seed) ==
                   ctflow::community_id(outside.event(), seed));
        BOOST_TEST(ctflow::community_id(e, seed) == ctflow::community_id(inside.event(), seed));
        BOOST_TEST(ctflow::translated_community_id(inside.event(), seed) ==
                   ctflow::community_id(inside.event(), seed));
    }

    // An echo request; the reply direction has the answer's type, 0.
    const auto ping = [](const char* from, const char* to) {
        auto r = flow{IPPROTO_ICMP, from, to}.event().record();
        r.src_port = htons(7);
        r.dst_port = htons(0x0800);
        return ctflow::event(r);
    };
    const auto r = ping("10.0.0.1", "203.0.113.7").record();
    ctflow_trailer t{};
    t.parts = CTFLOW_TRAILER_STATUS | CTFLOW_TRAILER_REPLY;
    const auto o = ping("192.0.2.1", "203.0.113.7").record();
    std::ranges::copy(o.dst_addr, t.reply.src_addr);
    std::ranges::copy(o.src_addr, t.reply.dst_addr);
    t.reply.src_port = htons(7);
    BOOST_TEST(ctflow::translated_community_id(ctflow::event(r, t)) ==
               ctflow::community_id(ping("192.0.2.1", "203.0.113.7")));
}

BOOST_AUTO_TEST_SUITE_END()
