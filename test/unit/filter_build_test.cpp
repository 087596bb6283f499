// SPDX-License-Identifier: Apache-2.0
#include <ctflow/filter.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stdexcept>
#include <type_traits>

namespace {

using namespace ctflow::filters;
using namespace std::chrono_literals;
using boost::asio::ip::address_v6;
using boost::asio::ip::make_address;
using ctflow::filter;

bool is_too_long(const ctflow::system_error& e) {
    return e.code() == ctflow::errc::filter_too_long;
}

} // namespace

BOOST_AUTO_TEST_SUITE(filter_build)

BOOST_AUTO_TEST_CASE(it_is_a_value) {
    static_assert(std::is_nothrow_move_constructible_v<filter>);
    static_assert(std::is_nothrow_default_constructible_v<filter>);
    const auto f = proto(6) && !port(22);
    auto copy = f;
    BOOST_TEST(copy == f);
    copy = copy || ip6();
    BOOST_TEST((copy != f));
    BOOST_TEST(to_string(f) == "proto tcp and not port 22");
    BOOST_TEST(to_string(copy) == "(proto tcp and not port 22) or ip6");
}

BOOST_AUTO_TEST_CASE(what_is_out_of_range_is_an_invalid_argument) {
    const auto v4 = make_address("10.0.0.0");
    BOOST_CHECK_THROW(proto(256), std::invalid_argument);
    BOOST_CHECK_THROW(port(65536), std::invalid_argument);
    BOOST_CHECK_THROW(ports(2, 1), std::invalid_argument);
    BOOST_CHECK_THROW(ports(1, 65536), std::invalid_argument);
    BOOST_CHECK_THROW(net(v4, 33), std::invalid_argument);
    BOOST_CHECK_THROW(net(v4, 6), std::invalid_argument);
    BOOST_CHECK_THROW(net(make_address("2001:db8::"), 129), std::invalid_argument);
    BOOST_CHECK_THROW(net(make_address("2001:db8::1"), 127), std::invalid_argument);
    BOOST_CHECK_THROW(mark(3, 1), std::invalid_argument);
    BOOST_CHECK_THROW(zone(65536), std::invalid_argument);
    BOOST_CHECK_THROW(at_least_age(-1ns), std::invalid_argument);
    BOOST_CHECK_THROW(at_least_age(filter::age_limit + 1ns), std::invalid_argument);
    BOOST_CHECK_NO_THROW(net(v4, 7));
    BOOST_CHECK_NO_THROW(at_least_age(filter::age_limit));
}

BOOST_AUTO_TEST_CASE(a_scope_id_does_not_matter) {
    const address_v6 scoped(make_address("fe80::1").to_v6().to_bytes(), 7);
    BOOST_TEST((host(scoped) == host(make_address("fe80::1"))));
    BOOST_TEST((net(scoped, 128) == host(make_address("fe80::1"))));
}

BOOST_AUTO_TEST_CASE(a_mapped_address_is_an_ipv4_one) {
    BOOST_TEST(to_string(host(make_address("::ffff:10.0.0.1"))) == "host 10.0.0.1");
    BOOST_TEST(to_string(net(make_address("::ffff:10.0.0.0"), 104)) == "net 10.0.0.0/8");
}

BOOST_AUTO_TEST_CASE(what_lets_all_through_is_neutral_and_its_contrary_not) {
    const auto a = port(1);
    const filter all;
    BOOST_TEST((all && a) == a);
    BOOST_TEST((a && all) == a);
    BOOST_TEST((all || a) == all);
    BOOST_TEST((a || all) == all);
    BOOST_TEST((!all && a) == !all);
    BOOST_TEST((a && !all) == !all);
    BOOST_TEST((!all || a) == a);
    BOOST_TEST((a || !all) == a);
    BOOST_TEST(!!all == all);
    BOOST_TEST(!!a == a);
}

BOOST_AUTO_TEST_CASE(rows_are_rows_however_they_came_about) {
    const auto a = port(1);
    const auto b = port(2);
    const auto c = port(3);
    BOOST_TEST(((a && b) && c) == (a && (b && c)));
    BOOST_TEST(((a || b) || (c || a)) == (a || b || c || a));
    BOOST_TEST((((a || b) && c) != (a || (b && c))));
    BOOST_TEST(((a && b) != (b && a)));
}

BOOST_AUTO_TEST_CASE(there_are_limits) {
    filter row = ip();
    for (std::size_t i = 1; i < filter::tests_limit; ++i) {
        row = std::move(row) && ip();
    }
    BOOST_CHECK_EXCEPTION(row && ip(), ctflow::system_error, is_too_long);
    BOOST_CHECK_EXCEPTION(row || row, ctflow::system_error, is_too_long);

    filter nested = ip();
    for (std::size_t i = 0; i < filter::nesting_limit; ++i) {
        nested = i % 2 == 0 ? nested && ip() : nested || ip();
    }
    BOOST_CHECK_EXCEPTION(nested && ip(), ctflow::system_error, is_too_long);
    BOOST_CHECK_EXCEPTION(!nested, ctflow::system_error, is_too_long);
    BOOST_CHECK_NO_THROW(nested || ip()); // In its row.
}

BOOST_AUTO_TEST_SUITE_END()
