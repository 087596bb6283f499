// SPDX-License-Identifier: Apache-2.0
#include "filter/compile.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>
#include <string>
#include <string_view>

namespace {

using ctflow::filter;

ctflow_filter_program compile(std::string_view text) {
    ctflow::error_code ec;
    ctflow::diagnostics diag;
    const auto p = ctflow::filtering::compile(filter::parse(text), ec, diag);
    BOOST_TEST(!ec, text << ": " << diag);
    return p;
}

void put(std::ostream& os, unsigned to) {
    if (to == CTFLOW_FILTER_ACCEPT) {
        os << '+';
    } else if (to == CTFLOW_FILTER_REJECT) {
        os << '-';
    } else {
        os << to;
    }
}

// Where each test leads on yes and on no: "1/- +/-".
std::string jumps(std::string_view text) {
    const auto p = compile(text);
    std::ostringstream os;
    for (unsigned i = 0; i < p.length; ++i) {
        os << (i == 0 ? "" : " ");
        put(os, p.tests[i].yes.to);
        os << '/';
        put(os, p.tests[i].no.to);
    }
    return os.str();
}

std::string row(std::size_t n) {
    std::string text = "ip";
    for (std::size_t i = 1; i < n; ++i) {
        text += " or ip";
    }
    return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(filter_compile)

BOOST_AUTO_TEST_CASE(jumps_are_short_cuts) {
    BOOST_TEST(jumps("") == "");
    BOOST_TEST(jumps("ip") == "+/-");
    BOOST_TEST(jumps("not ip") == "-/+");
    BOOST_TEST(jumps("ip and zone 1") == "1/- +/-");
    BOOST_TEST(jumps("ip or zone 1") == "+/1 +/-");
    BOOST_TEST(jumps("ip and zone 1 and zone 2") == "1/- 2/- +/-");
    BOOST_TEST(jumps("not (ip and zone 1)") == "1/+ -/+");
    BOOST_TEST(jumps("not ip or not zone 1") == "1/+ -/+");
    BOOST_TEST(jumps("ip and zone 1 or zone 2") == "1/2 +/2 +/-");
    BOOST_TEST(jumps("(ip or zone 1) and zone 2") == "2/1 2/- +/-");
    BOOST_TEST(jumps("zone 2 and (ip or zone 1)") == "1/- +/2 +/-");
    BOOST_TEST(jumps("(ip or zone 1) and (zone 2 or zone 3)") == "2/1 2/- +/3 +/-");
    BOOST_TEST(jumps("not (ip or not (zone 1 and zone 2))") == "-/1 2/- +/-");
    BOOST_TEST(jumps("(ip and not (zone 1 or zone 2)) or zone 3") == "1/3 3/2 3/+ +/-");
}

BOOST_AUTO_TEST_CASE(nothing_is_a_test_that_none_passes) {
    const auto p = compile("not all");
    BOOST_TEST(p.length == 1U);
    const ctflow_filter_subject s{};
    BOOST_TEST(!filter_accepts(&p, &s));
}

BOOST_AUTO_TEST_CASE(numbers_are_ranges) {
    const auto least = compile("bytes >= 10k").tests[0];
    BOOST_TEST(least.op == CTFLOW_FILTER_BYTES);
    BOOST_TEST(least.number.low == 10'000U);
    BOOST_TEST(least.number.span == ~0ULL - 10'000);
    BOOST_TEST(least.number.mask == ~0ULL);
    const auto mark = compile("mark 0x10/0xf0").tests[0];
    BOOST_TEST(mark.number.low == 0x10U);
    BOOST_TEST(mark.number.span == 0U);
    BOOST_TEST(mark.number.mask == 0xf0U);
    const auto ports = compile("dst port 5-7").tests[0];
    BOOST_TEST(ports.ends == CTFLOW_FILTER_DST);
    BOOST_TEST(ports.number.low == 5U);
    BOOST_TEST(ports.number.span == 2U);
    BOOST_TEST(compile("port 5").tests[0].ends == (CTFLOW_FILTER_SRC | CTFLOW_FILTER_DST));
    BOOST_TEST(compile("src port 5").tests[0].ends == CTFLOW_FILTER_SRC);
}

BOOST_AUTO_TEST_CASE(what_may_change_is_noted) {
    BOOST_TEST(compile("proto tcp and port 22 and netns 1 and zone 1 and ip").changes == 0U);
    BOOST_TEST(compile("ip or mark 1").changes == CTFLOW_FILTER_MARK_CHANGES);
    BOOST_TEST(compile("packets >= 1 and ip").changes == CTFLOW_FILTER_COUNTERS_CHANGE);
    BOOST_TEST(compile("not age >= 1s").changes == CTFLOW_FILTER_AGE_CHANGES);
    BOOST_TEST(compile("mark 1 or bytes < 1 or age < 1s").changes == 7U);
    const auto least = compile("not bytes >= 1").tests[0];
    BOOST_TEST(least.no.changes == CTFLOW_FILTER_COUNTERS_CHANGE);
    BOOST_TEST(least.yes.changes == 0U);
}

BOOST_AUTO_TEST_CASE(the_kernel_takes_64_tests) {
    BOOST_TEST(compile(row(64)).length == 64U);
    ctflow::error_code ec;
    ctflow::diagnostics diag;
    const auto p = ctflow::filtering::compile(filter::parse(row(70)), ec, diag);
    BOOST_TEST((ec == ctflow::errc::filter_too_long));
    BOOST_TEST(diag == "it has 70 tests");
    BOOST_TEST(p.length == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
