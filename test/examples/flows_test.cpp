// SPDX-License-Identifier: Apache-2.0
#include "examples/sample.hpp"
#include "http_accounting/flows.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace json = boost::json;
using namespace std::chrono_literals;
using ctflow::test::epoch;
using ctflow::test::sample;
using http_accounting::to_json;

BOOST_AUTO_TEST_SUITE(flows)

BOOST_AUTO_TEST_CASE(by_the_names_of_ecs) {
    sample s;
    s.packets_orig = 3;
    s.packets_ret = 2;
    s.start = 5ns;
    const auto e = s.at(1s, 384, 456).update();
    const auto wanted = json::parse(R"({
        "source": {"ip": "192.0.2.1", "port": 40001, "packets": 3, "bytes": 384},
        "destination": {"ip": "192.0.2.2", "port": 443, "packets": 2, "bytes": 456},
        "network": {"type": "ipv4", "transport": "tcp", "iana_number": "6",
                    "packets": 5, "bytes": 840},
        "event": {"start": "2023-11-14T22:13:20.000000005Z"},
        "ctflow": {"flow_id": )" + std::to_string(e.flow_id()) +
                                    R"(, "connmark": 7, "netns": 4026531840}})");
    // Through text: numbers that were written are signed when they are read.
    BOOST_TEST(json::parse(json::serialize(to_json({e, {}}))) == wanted);
}

BOOST_AUTO_TEST_CASE(without_ports_and_start) {
    sample s;
    s.from = "2001:db8::1";
    s.to = "2001:db8::2";
    s.proto = IPPROTO_ICMPV6;
    s.start = -epoch.time_since_epoch();
    const auto flow = to_json({s.update(), {}});
    BOOST_TEST(flow.at("source").as_object().count("port") == 0U);
    BOOST_TEST(flow.at("destination").as_object().count("port") == 0U);
    BOOST_TEST(flow.as_object().count("event") == 0U);
    BOOST_TEST(flow.at("network").at("type").as_string() == "ipv6");
    BOOST_TEST(flow.at("network").at("iana_number").as_string() == "58");
}

BOOST_AUTO_TEST_CASE(those_that_have_moved_most_first_and_live) {
    examples::flow_table t(100, epoch);
    for (sample s; s.conntrack <= 10; ++s.conntrack) {
        t.apply(s.at(1s, 100 * s.conntrack, 0).update());
        if (s.conntrack == 10) {
            t.apply(s.at(2s, 100 * s.conntrack, 0).destroy());
        }
    }
    http_accounting::largest_flows largest(t, 5);
    const http_accounting::largest_flows::clock::time_point now(1s);
    const auto some = largest.list(3, now);
    BOOST_TEST(some.at("live").as_uint64() == 9U);
    const auto& listed = some.at("flows").as_array();
    BOOST_REQUIRE(listed.size() == 3U);
    for (std::size_t i = 0; i != 3; ++i) {
        BOOST_TEST(listed[i].at("network").at("bytes").as_uint64() == 900 - 100 * i);
    }
    BOOST_TEST(largest.list(0, now).at("flows").as_array().empty());
    BOOST_TEST(largest.list(100, now).at("flows").as_array().size() == 5U);

    // A second later, and not before, they are looked for again.
    sample s;
    s.conntrack = 11;
    t.apply(s.at(1s, 5000, 0).update());
    const auto first = [&](auto when) {
        return largest.list(1, when).at("flows").at(0).at("network").at("bytes").as_uint64();
    };
    BOOST_TEST(first(now + 999ms) == 900U);
    BOOST_TEST(first(now + 1s) == 5000U);
}

BOOST_AUTO_TEST_SUITE_END()
