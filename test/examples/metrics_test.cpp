// SPDX-License-Identifier: Apache-2.0
#include "examples/sample.hpp"
#include "http_accounting/metrics.hpp"

#include <ctflow/version.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using ctflow::test::epoch;
using ctflow::test::sample;
using http_accounting::accounting;

namespace {

std::string text_of(const accounting& books, const ctflow::probe_stats& p = {},
                    const ctflow::consumer_stats& c = {}) {
    ctflow::kernel k;
    k.attach = ctflow::attach_mode::fentry;
    return http_accounting::metrics(books, p, c, k);
}

// The series and their values.
std::map<std::string, std::string> series(const std::string& text) {
    std::map<std::string, std::string> all;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with('#')) {
            const auto space = line.rfind(' ');
            BOOST_TEST(all.emplace(line.substr(0, space), line.substr(space + 1)).second);
        }
    }
    return all;
}

void account_for(accounting& books, const ctflow::event& e) {
    books.apply({&e, 1}, e.timestamp());
}

} // namespace

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(flows_add_up_by_transport_and_direction) {
    accounting books(10, epoch);
    sample s;
    account_for(books, s.at(1s, 60, 0).update());
    account_for(books, s.at(2s, 1000, 300).update());
    account_for(books, s.at(3s, 1100, 300).destroy());
    s.proto = IPPROTO_UDP;
    account_for(books, s.at(3s, 50, 0).update());
    s.proto = IPPROTO_ICMPV6;
    account_for(books, s.at(3s, 7, 0).update());
    s.proto = IPPROTO_GRE;
    account_for(books, s.at(3s, 0, 9).update());
    const auto of = series(text_of(books));
    const auto bytes = [&of](const std::string& transport, const std::string& direction) {
        return of.at("ctflow_flow_bytes_total{transport=\"" + transport + "\",direction=\"" +
                     direction + "\"}");
    };
    BOOST_TEST(bytes("tcp", "original") == "1100");
    BOOST_TEST(bytes("tcp", "reply") == "300");
    BOOST_TEST(bytes("udp", "original") == "50");
    BOOST_TEST(bytes("icmp", "original") == "7");
    BOOST_TEST(bytes("other", "reply") == "9");
    BOOST_TEST(of.at("ctflow_flow_packets_total{transport=\"tcp\",direction=\"original\"}") == "1");
    BOOST_TEST(of.at("ctflow_flows_ended_total{transport=\"tcp\"}") == "1");
    BOOST_TEST(of.at("ctflow_flows_ended_total{transport=\"udp\"}") == "0");
    BOOST_TEST(of.at("ctflow_live_flows") == "3");
    BOOST_TEST(of.at("ctflow_live_flows_limit") == "10");
    BOOST_TEST(
        of.at("ctflow_build_info{version=\"" CTFLOW_VERSION_STRING "\",attach=\"fentry\"}") == "1");
}

// Each in one place: their sum is all that was lost.
BOOST_AUTO_TEST_CASE(losses_by_cause) {
    ctflow::probe_stats p;
    p.perf_events_update = 1000;
    p.perf_events_destroy = 500;
    p.perf_bytes_total = 156'000;
    p.perf_events_update_lost = 1;
    p.perf_events_destroy_lost = 2;
    p.updates_without_ring = 3;
    p.perf_records_malformed = 4;
    p.netlink_overruns = 6;
    ctflow::consumer_stats c;
    c.events_lost = 5;
    c.event_queue_length = 7;
    const auto of = series(text_of(accounting(10, epoch), p, c));
    const auto lost = [&of](const std::string& cause) {
        return of.at("ctflow_events_lost_total{cause=\"" + cause + "\"}");
    };
    BOOST_TEST(lost("update_ring_full") == "1");
    BOOST_TEST(lost("destroy_ring_full") == "2");
    BOOST_TEST(lost("cpu_without_ring") == "3");
    BOOST_TEST(lost("malformed") == "4");
    BOOST_TEST(lost("queue_full") == "5");
    BOOST_TEST(of.at("ctflow_events_total{kind=\"update\"}") == "1000");
    BOOST_TEST(of.at("ctflow_events_total{kind=\"destroy\"}") == "500");
    BOOST_TEST(of.at("ctflow_event_bytes_total") == "156000");
    BOOST_TEST(of.at("ctflow_netlink_overruns_total") == "6");
    BOOST_TEST(of.at("ctflow_queued_events") == "7");
}

BOOST_AUTO_TEST_CASE(no_flow_makes_a_series) {
    accounting books(1000, epoch);
    const auto before = series(text_of(books)).size();
    for (sample s; s.conntrack < 200; ++s.conntrack) {
        s.proto = static_cast<std::uint8_t>(s.conntrack);
        s.from_port++;
        account_for(books, s.update());
    }
    BOOST_TEST(series(text_of(books)).size() == before);
}

// What Prometheus' own promtool says of it is asked for in http_accounting.sh.
BOOST_AUTO_TEST_CASE(by_conventions) {
    std::istringstream in(text_of(accounting(10, epoch)));
    std::string family;
    std::string type;
    std::set<std::string> families;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string hash;
        std::string what;
        if (line.starts_with("# HELP ")) {
            words >> hash >> what >> family;
            BOOST_TEST(families.insert(family).second);
            BOOST_TEST(family.starts_with("ctflow_"));
            BOOST_TEST(line.ends_with('.'));
        } else if (line.starts_with("# TYPE ")) {
            std::string name;
            words >> hash >> what >> name >> type;
            BOOST_TEST(name == family);
            BOOST_TEST(family.ends_with("_total") == (type == "counter"));
        } else {
            BOOST_TEST(line.substr(0, line.find_first_of("{ ")) == family);
        }
    }
    BOOST_TEST(families.size() > 10U);
}

BOOST_AUTO_TEST_SUITE_END()
