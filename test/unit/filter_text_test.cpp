// SPDX-License-Identifier: Apache-2.0
#include "support/random_filters.hpp"

#include <ctflow/filter.hpp>

#include <boost/test/unit_test.hpp>

#include <sstream>
#include <string>
#include <string_view>

namespace {

using ctflow::filter;

void canonical(std::string_view text, std::string_view expected) {
    const auto f = filter::parse(text);
    BOOST_TEST(to_string(f) == expected);
    BOOST_TEST((filter::parse(expected) == f), expected);
}

} // namespace

BOOST_AUTO_TEST_SUITE(filter_text)

BOOST_AUTO_TEST_CASE(tests_have_one_form) {
    canonical("", "all");
    canonical("not all", "not all");
    canonical("proto 6", "proto tcp");
    canonical("proto 200", "proto 200");
    canonical("host 2001:DB8:0::1", "host 2001:db8::1");
    canonical("src net 10.0.0.1/32", "src host 10.0.0.1");
    canonical("dst net 10.0.0.0/08", "dst net 10.0.0.0/8");
    canonical("net ::/0", "net ::/0");
    canonical("port 022-22", "port 22");
    canonical("src port 1-1023", "src port 1-1023");
    canonical("mark 16", "mark 0x10");
    canonical("mark 16/255", "mark 0x10/0xff");
    canonical("mark 1/4294967295", "mark 0x1");
    canonical("mark 0/0", "mark 0x0/0x0");
    canonical("zone 7", "zone 7");
    canonical("netns 4026531840", "netns 4026531840");
    canonical("bytes>=1000", "bytes >= 1k");
    canonical("bytes>=1000000", "bytes >= 1M");
    canonical("bytes>=1001", "bytes >= 1001");
    canonical("packets>=3000G", "packets >= 3000G");
    canonical("bytes>=0", "bytes >= 0");
    canonical("age>=60s", "age >= 1m");
    canonical("age>=90s", "age >= 90s");
    canonical("age>=1500us", "age >= 1500us");
    canonical("bytes < 1k", "not bytes >= 1k");
}

BOOST_AUTO_TEST_CASE(parentheses_are_where_they_help) {
    canonical("!(ip)&&((ip6))", "not ip and ip6");
    canonical("ip or zone 1 and zone 2", "ip or (zone 1 and zone 2)");
    canonical("(ip or zone 1) and zone 2", "(ip or zone 1) and zone 2");
    canonical("not (ip or zone 1)", "not (ip or zone 1)");
    canonical("ip and (zone 1 and (zone 2 and zone 3))", "ip and zone 1 and zone 2 and zone 3");
    canonical("not not (ip or not not zone 1)", "ip or zone 1");
}

BOOST_AUTO_TEST_CASE(it_is_written_to_streams) {
    std::ostringstream os;
    os << filter::parse("port 1||port 2");
    BOOST_TEST(os.str() == "port 1 or port 2");
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_as_the_same) {
    ctflow::test::random_filters random(1);
    for (int i = 0; i < 2000; ++i) {
        const auto f = random.make();
        const auto text = to_string(f);
        BOOST_REQUIRE_MESSAGE(filter::parse(text) == f, text);
        BOOST_REQUIRE_EQUAL(to_string(filter::parse(text)), text);
    }
}

// With the longest text of a test, as nested as can be.
BOOST_AUTO_TEST_CASE(the_largest_filter_is_read_as_the_same) {
    const auto longest = filter::parse("src net ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127");
    filter f = longest;
    for (std::size_t depth = 1; depth < filter::nesting_limit - 1; depth += 2) {
        f = depth % 4 == 1 ? !(f && longest) : !(f || longest);
    }
    for (int i = 0; i < 495; ++i) {
        f = std::move(f) || longest;
    }
    const auto text = to_string(f);
    BOOST_TEST(text.size() < filter::text_limit);
    BOOST_TEST((filter::parse(text) == f));
    BOOST_TEST(text.size() > 27000U);
}

BOOST_AUTO_TEST_SUITE_END()
