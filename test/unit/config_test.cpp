// SPDX-License-Identifier: Apache-2.0
#include <ctflow/config.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace {

using namespace std::chrono_literals;
using ctflow::curve_point;
using ctflow::errc;

void check(const ctflow::config& c, ctflow::error_code expected) {
    BOOST_TEST(ctflow::validate(c) == expected);
}

} // namespace

BOOST_AUTO_TEST_SUITE(config)

BOOST_AUTO_TEST_CASE(each_default_is_the_documented_one) {
    const auto c = ctflow::with_defaults({});
    BOOST_TEST((c.curve0 == curve_point{0s, 20s}));
    BOOST_TEST((c.curve1 == curve_point{60s, 60s}));
    BOOST_TEST((c.curve2 == curve_point{5min, 5min}));
    BOOST_TEST(c.buffer_pages == 0U);
    BOOST_TEST(c.max_flows == 65536U);
    BOOST_TEST((c.attach == ctflow::attach_mode::automatic));
    BOOST_TEST((c.transport == ctflow::transport_kind::perf_buffer));
    check({}, {});
}

BOOST_AUTO_TEST_CASE(what_is_given_is_kept) {
    ctflow::config given;
    given.curve0 = {1ns, 2ns};
    given.curve1 = {3ns, 4ns};
    given.curve2 = {5ns, 6ns};
    given.buffer_pages = 1;
    given.max_flows = 1;
    given.attach = ctflow::attach_mode::kprobe;
    given.transport = ctflow::transport_kind::ring_buffer;
    const auto c = ctflow::with_defaults(given);
    BOOST_TEST((c.curve0 == curve_point{1ns, 2ns}));
    BOOST_TEST((c.curve1 == curve_point{3ns, 4ns}));
    BOOST_TEST((c.curve2 == curve_point{5ns, 6ns}));
    BOOST_TEST(c.buffer_pages == 1U);
    BOOST_TEST(c.max_flows == 1U);
    BOOST_TEST((c.attach == ctflow::attach_mode::kprobe));
    BOOST_TEST((c.transport == ctflow::transport_kind::ring_buffer));
    check(given, {});
}

BOOST_AUTO_TEST_CASE(each_zero_takes_its_own_default_but_for_the_first_age) {
    ctflow::config given;
    given.curve0 = {0s, 7s};
    given.curve1 = {0s, 8s};
    given.curve2 = {600s, 0s};
    const auto c = ctflow::with_defaults(given);
    BOOST_TEST((c.curve0 == curve_point{0s, 7s}));
    BOOST_TEST((c.curve1 == curve_point{60s, 8s}));
    BOOST_TEST((c.curve2 == curve_point{600s, 5min}));

    given.curve0 = {3s, 0s};
    given.curve1 = {30s, 0s};
    given.curve2 = {0s, 9s};
    const auto d = ctflow::with_defaults(given);
    BOOST_TEST((d.curve0 == curve_point{3s, 20s}));
    BOOST_TEST((d.curve1 == curve_point{30s, 60s}));
    BOOST_TEST((d.curve2 == curve_point{5min, 9s}));
}

BOOST_AUTO_TEST_CASE(ages_that_do_not_rise_are_an_error_that_says_which_point) {
    ctflow::config c;
    c.curve0.age = 10s;
    c.curve1.age = 9s;
    check(c, errc::curve0_age);
    c.curve1.age = 10s;
    check(c, errc::curve0_age); // Equal is not below.
    c.curve1.age = 10s + 1ns;
    check(c, {});

    c.curve2.age = 10s;
    check(c, errc::curve1_age);
    c.curve2.age = 10s + 1ns;
    check(c, errc::curve1_age);
    c.curve2.age = 10s + 2ns;
    check(c, {});
}

BOOST_AUTO_TEST_CASE(ages_are_compared_with_the_defaults_filled_in) {
    ctflow::config c;
    c.curve0.age = 60s;
    check(c, errc::curve0_age);
    c.curve0.age = 60s - 1ns;
    check(c, {});

    c = {};
    c.curve1.age = 5min;
    check(c, errc::curve1_age);
    c.curve1.age = 5min - 1ns;
    check(c, {});

    c = {};
    c.curve2.age = 30s;
    check(c, errc::curve1_age);
}

BOOST_AUTO_TEST_CASE(the_first_fault_is_reported_first) {
    ctflow::config c;
    c.curve0.age = 3s;
    c.curve1.age = 2s;
    c.curve2.age = 1s;
    c.buffer_pages = 3;
    c.max_flows = 0;
    check(c, errc::curve0_age);
}

BOOST_AUTO_TEST_CASE(no_age_and_no_rate_may_be_negative) {
    for (auto point : {&ctflow::config::curve0, &ctflow::config::curve1, &ctflow::config::curve2}) {
        for (auto member : {&curve_point::age, &curve_point::rate}) {
            for (const auto value : {-1ns, std::chrono::nanoseconds::min()}) {
                ctflow::config c;
                c.*point.*member = value;
                check(c, errc::curve_out_of_range);
            }
            ctflow::config c;
            c.*point.*member = 0ns;
            check(c, {});
        }
    }
}

BOOST_AUTO_TEST_CASE(rates_need_not_rise) {
    ctflow::config c;
    c.curve0.rate = 3s;
    c.curve1.rate = 2s;
    c.curve2.rate = 1ns;
    check(c, {});
}

BOOST_AUTO_TEST_CASE(buffer_pages_must_be_a_power_of_two_within_bounds) {
    ctflow::config c;
    for (const std::size_t good : {0U, 1U, 2U, 4U, 64U, 1024U, 65536U}) { // Zero: the default.
        c.buffer_pages = good;
        check(c, {});
    }
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    for (const std::size_t bad : {std::size_t{3}, std::size_t{63}, std::size_t{65},
                                  std::size_t{65537}, std::size_t{131072}, most / 2 + 1, most}) {
        c.buffer_pages = bad;
        check(c, errc::buffer_pages);
    }
}

BOOST_AUTO_TEST_CASE(reserve_pages_must_be_a_power_of_two_within_bounds) {
    ctflow::config c;
    BOOST_TEST(c.reserve_pages == 1024U);
    for (const std::size_t good : {1U, 2U, 1024U, 16384U}) {
        c.reserve_pages = good;
        check(c, {});
    }
    for (const std::size_t bad : {0U, 3U, 1023U, 16385U, 32768U}) {
        c.reserve_pages = bad;
        check(c, errc::reserve_pages);
    }
}

BOOST_AUTO_TEST_CASE(netlink_buffer_must_be_in_its_range) {
    ctflow::config c;
    BOOST_TEST(c.netlink_buffer == 4U << 20);
    constexpr std::size_t gibibyte = std::size_t{1} << 30;
    for (const std::size_t good : {std::size_t{4096}, std::size_t{12345}, gibibyte}) {
        c.netlink_buffer = good;
        check(c, {});
    }
    for (const std::size_t bad : {std::size_t{0}, std::size_t{4095}, gibibyte + 1}) {
        c.netlink_buffer = bad;
        check(c, errc::netlink_buffer);
    }
}

BOOST_AUTO_TEST_CASE(flush_interval_must_be_in_its_range) {
    ctflow::config c;
    BOOST_TEST((c.flush_interval == 500us));
    for (const auto good :
         {std::chrono::nanoseconds(0), std::chrono::nanoseconds(1), std::chrono::nanoseconds(1s)}) {
        c.flush_interval = good;
        check(c, {});
    }
    for (const auto bad : {std::chrono::nanoseconds(-1), std::chrono::nanoseconds(1s) + 1ns}) {
        c.flush_interval = bad;
        check(c, errc::flush_interval);
    }
}

BOOST_AUTO_TEST_CASE(audit_interval_must_be_in_its_range) {
    ctflow::config c;
    BOOST_TEST((c.audit_interval == 150s));
    for (const auto good : {std::chrono::nanoseconds(0), std::chrono::nanoseconds(1),
                            std::chrono::nanoseconds(24h)}) {
        c.audit_interval = good;
        check(c, {});
    }
    for (const auto bad : {std::chrono::nanoseconds(-1), std::chrono::nanoseconds(24h) + 1ns}) {
        c.audit_interval = bad;
        check(c, errc::audit_interval);
    }
}

BOOST_AUTO_TEST_CASE(ways_to_attach_have_names) {
    using enum ctflow::attach_mode;
    BOOST_TEST(to_string(automatic) == std::string("automatic"));
    BOOST_TEST(to_string(fentry) == std::string("fentry"));
    BOOST_TEST(to_string(kprobe) == std::string("kprobe"));
    BOOST_TEST(to_string(netfilter) == std::string("netfilter"));
}

BOOST_AUTO_TEST_CASE(max_flows_must_be_in_its_range) {
    ctflow::config c;
    c.max_flows = 0;
    check(c, errc::max_flows);
    c.max_flows = 1;
    check(c, {});
    c.max_flows = ctflow::config::max_flows_limit;
    check(c, {});
    ++c.max_flows;
    check(c, errc::max_flows);
    c.max_flows = std::numeric_limits<std::uint32_t>::max();
    check(c, errc::max_flows);
}

BOOST_AUTO_TEST_CASE(no_age_and_no_rate_may_exceed_a_hundred_years) {
    const auto beyond = ctflow::config::curve_limit + 1ns;
    ctflow::config c;
    c.curve2.age = ctflow::config::curve_limit;
    c.curve2.rate = ctflow::config::curve_limit;
    check(c, {});
    c.curve2.age = beyond;
    check(c, errc::curve_out_of_range);
    c.curve2.age = {};
    c.curve0.rate = beyond;
    check(c, errc::curve_out_of_range);
}

BOOST_AUTO_TEST_SUITE_END()
