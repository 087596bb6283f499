// SPDX-License-Identifier: Apache-2.0
#include <ctflow/filter.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace {

using namespace ctflow::filters;
using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using ctflow::filter;
using ctflow::flow_end;

filter parse(std::string_view text) {
    ctflow::error_code ec;
    ctflow::diagnostics diag = "from before";
    auto f = filter::parse(text, ec, diag);
    BOOST_TEST(!ec, text << ": " << diag);
    BOOST_TEST(diag == (ec ? diag : ""));
    return f;
}

void equal(std::string_view text, const filter& f) {
    BOOST_TEST(parse(text) == f, text);
}

// A test that is told from others.
filter p(unsigned number) {
    return port(number);
}

std::string repeated(std::string_view text, std::size_t n) {
    std::string all;
    for (std::size_t i = 0; i < n; ++i) {
        all += text;
    }
    return all;
}

ctflow::errc error_of(std::string_view text) {
    ctflow::error_code ec;
    filter::parse(text, ec);
    return static_cast<ctflow::errc>(ec.value());
}

} // namespace

BOOST_AUTO_TEST_SUITE(filter_parse)

BOOST_AUTO_TEST_CASE(nothing_and_all_let_all_through) {
    for (const auto* text : {"", "  ", "\t\r\n", "all", "(all)", "not not all"}) {
        equal(text, filter());
        BOOST_TEST(parse(text).lets_all_through());
    }
    BOOST_TEST(!parse("not all").lets_all_through());
    equal("not all", !filter());
}

BOOST_AUTO_TEST_CASE(families_and_protocols) {
    equal("ip", ip());
    equal("ip6", ip6());
    equal("proto tcp", proto(6));
    equal("proto udp", proto(17));
    equal("proto icmp", proto(1));
    equal("proto icmpv6", proto(58));
    equal("proto sctp", proto(132));
    equal("proto dccp", proto(33));
    equal("proto gre", proto(47));
    equal("proto udplite", proto(136));
    equal("proto 0", proto(0));
    equal("proto 255", proto(255));
}

BOOST_AUTO_TEST_CASE(addresses) {
    equal("host 10.0.0.1", host(make_address("10.0.0.1")));
    equal("src host 10.0.0.1", host(make_address("10.0.0.1"), flow_end::src));
    equal("dst host 2001:DB8::1", host(make_address("2001:db8::1"), flow_end::dst));
    equal("net 10.0.0.0/8", net(make_address("10.0.0.0"), 8));
    equal("src net 0.0.0.0/0", net(make_address("0.0.0.0"), 0, flow_end::src));
    equal("dst net 2001:db8::/32", net(make_address("2001:db8::"), 32, flow_end::dst));
    equal("net ::/0", net(make_address("::"), 0));
    equal("net 10.0.0.1/32", host(make_address("10.0.0.1")));
    equal("net ::1/128", host(make_address("::1")));
}

BOOST_AUTO_TEST_CASE(mapped_addresses_are_those_that_the_kernel_has) {
    equal("host ::ffff:10.0.0.1", host(make_address("10.0.0.1")));
    equal("net ::ffff:10.0.0.0/104", net(make_address("10.0.0.0"), 8));
    equal("net ::ffff:0:0/96", net(make_address("0.0.0.0"), 0));
    equal("net ::/95", net(make_address("::"), 95));
}

BOOST_AUTO_TEST_CASE(ports_and_ranges_of_them) {
    equal("port 22", port(22));
    equal("port 0", port(0));
    equal("src port 65535", port(65535, flow_end::src));
    equal("dst port 1-1024", ports(1, 1024, flow_end::dst));
    equal("port 22-22", port(22));
}

BOOST_AUTO_TEST_CASE(marks) {
    equal("mark 7", mark(7));
    equal("mark 0xdeadbeef", mark(0xdeadbeef));
    equal("mark 0xDEADBEEF", mark(0xdeadbeef));
    equal("mark 0x10/0xff", mark(0x10, 0xff));
    equal("mark 16/255", mark(0x10, 0xff));
    equal("mark 0/0", mark(0, 0));
    equal("mark 4294967295", mark(0xffffffff));
}

BOOST_AUTO_TEST_CASE(zones_and_namespaces) {
    equal("zone 0", zone(0));
    equal("zone 65535", zone(65535));
    equal("netns 4026531840", netns(4026531840));
    equal("netns 4294967295", netns(4294967295));
}

BOOST_AUTO_TEST_CASE(amounts) {
    equal("bytes >= 0", at_least_bytes(0));
    equal("bytes>=10k", at_least_bytes(10'000));
    equal("bytes >= 5M", at_least_bytes(5'000'000));
    equal("bytes >= 2G", at_least_bytes(2'000'000'000));
    equal("bytes >= 18446744073709551615", at_least_bytes(18446744073709551615U));
    equal("bytes >= 18446744073G", at_least_bytes(18446744073000000000U));
    equal("packets >= 3", at_least_packets(3));
    equal("packets>=1k", at_least_packets(1000));
    equal("bytes < 1k", !at_least_bytes(1000));
    equal("packets<1", !at_least_packets(1));
}

BOOST_AUTO_TEST_CASE(ages) {
    equal("age >= 10s", at_least_age(10s));
    equal("age >= 500ms", at_least_age(500ms));
    equal("age >= 5m", at_least_age(5min));
    equal("age >= 2h", at_least_age(2h));
    equal("age >= 7us", at_least_age(7us));
    equal("age>=1ns", at_least_age(1ns));
    equal("age < 1m", !at_least_age(1min));
    equal("age >= 876000h", at_least_age(filter::age_limit));
}

BOOST_AUTO_TEST_CASE(and_binds_tighter_than_or_and_not_tighter_than_both) {
    equal("port 1 or port 2 and port 3", p(1) || (p(2) && p(3)));
    equal("port 1 and port 2 or port 3", (p(1) && p(2)) || p(3));
    equal("not port 1 and port 2", !p(1) && p(2));
    equal("not port 1 or port 2", !p(1) || p(2));
    equal("not (port 1 or port 2)", !(p(1) || p(2)));
    equal("(port 1 or port 2) and port 3", (p(1) || p(2)) && p(3));
    equal("not not port 1", p(1));
    equal("not src port 1", !port(1, flow_end::src));
    BOOST_TEST((parse("port 1 or port 2 and port 3") != parse("(port 1 or port 2) and port 3")));
}

BOOST_AUTO_TEST_CASE(signs_are_words_and_take_no_spaces) {
    equal("!port 1&&port 2||port 3", (!p(1) && p(2)) || p(3));
    equal("!(port 1||!port 2)", !(p(1) || !p(2)));
    equal("\n( port\t1\r\n)\n", p(1));
}

BOOST_AUTO_TEST_CASE(parentheses_that_mean_nothing_do_not_matter) {
    equal("port 1 and (port 2 and port 3)", parse("(port 1 and port 2) and port 3"));
    equal("((port 1)) or (port 2 or (port 3 or port 4))", p(1) || p(2) || p(3) || p(4));
}

BOOST_AUTO_TEST_CASE(all_is_taken_out_of_what_it_is_combined_with) {
    equal("all and port 1", p(1));
    equal("port 1 and all", p(1));
    equal("all or port 1", filter());
    equal("port 1 or all", filter());
    equal("not all or port 1", p(1));
    equal("port 1 and not all", !filter());
}

BOOST_AUTO_TEST_CASE(limits_of_nesting) {
    const auto nested = [](std::size_t n) {
        return repeated("(", n) + "ip" + repeated(")", n);
    };
    equal(nested(32), ip());
    BOOST_TEST((error_of(nested(33)) == ctflow::errc::filter_too_long));
    equal(repeated("!", 32) + "ip", ip());
    BOOST_TEST((error_of(repeated("!", 33) + "ip") == ctflow::errc::filter_too_long));
    BOOST_TEST((error_of(repeated("(", 60000)) == ctflow::errc::filter_too_long));
    // Without any in the text: `or` is around `and`.
    const auto pairs = [](std::size_t n) {
        return repeated("ip or ip and (", n) + "ip" + repeated(")", n);
    };
    BOOST_TEST(!parse(pairs(16)).lets_all_through());
    BOOST_TEST((error_of(pairs(17)) == ctflow::errc::filter_too_long));
}

BOOST_AUTO_TEST_CASE(limits_of_tests_and_characters) {
    const auto row = [](std::size_t n) {
        return "ip" + repeated(" or ip", n - 1);
    };
    BOOST_TEST(!parse(row(512)).lets_all_through());
    BOOST_TEST((error_of(row(513)) == ctflow::errc::filter_too_long));
    equal("ip" + std::string(65534, ' '), ip());
    BOOST_TEST((error_of("ip" + std::string(65535, ' ')) == ctflow::errc::filter_too_long));
}

BOOST_AUTO_TEST_SUITE_END()
