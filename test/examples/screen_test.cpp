// SPDX-License-Identifier: Apache-2.0
#include "examples/sample.hpp"
#include "top_talkers/screen.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using ctflow::test::epoch;
using ctflow::test::sample;
using top_talkers::extent;
using top_talkers::moment;
using lines = std::vector<std::string>;

namespace {

const std::string long_one = "2001:db8:1111:2222:3333:4444:5555:6666";
const std::string long_other = "2001:db8:1111:2222:3333:4444:5555:7777";

moment at(std::chrono::nanoseconds t) {
    return {ctflow::boot_clock::time_point(t), epoch + t};
}

// Two seconds after the flow had moved 60 bytes, it has moved so many a second each way.
void add(examples::flow_table& t, const sample& s, std::uint64_t sent, std::uint64_t back) {
    t.apply(s.at(1s, 60, 0).update());
    t.apply(s.at(3s, 60 + 2 * sent, 2 * back).update());
}

// Seven flows; the more a flow moves, the later it is in the table.
examples::flow_table some_flows() {
    examples::flow_table t(100, epoch);
    sample s;
    for (int i = 0; i != 5; ++i) {
        s.conntrack++;
        s.to_port++;
        add(t, s, 1000U * s.conntrack, 10);
    }
    s.conntrack++;
    s.from = long_one;
    s.to = long_other;
    s.from_port = s.to_port = 65535;
    add(t, s, 1'000'000, 2'500'000);
    s.conntrack++;
    s.proto = IPPROTO_ICMPV6;
    add(t, s, 70, 70);
    return t;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string all(const lines& screen) {
    std::string text;
    for (const auto& line : screen) {
        text += line + '\n';
    }
    return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(screen)

BOOST_AUTO_TEST_CASE(on_80_by_24) {
    const auto screen = top_talkers::screen(some_flows(), at(3s), 0, {80, 24});
    const lines wanted{
        "7 flows, 1.02 MB/s sent, 2.50 MB/s back",
        "PROTO SOURCE                    DESTINATION               SENT/s  BACK/s   TOTAL",
        "tcp   [2001:db8:1111:2222:3333:4444:5555:6666]:65535     1.00 MB 2.50 MB 7.00 MB",
        "   -> [2001:db8:1111:2222:3333:4444:5555:7777]:65535",
        "tcp   192.0.2.1:40001           192.0.2.2:448            6.00 kB    10 B 12.1 kB",
        "tcp   192.0.2.1:40001           192.0.2.2:447            5.00 kB    10 B 10.1 kB",
        "tcp   192.0.2.1:40001           192.0.2.2:446            4.00 kB    10 B 8.08 kB",
        "tcp   192.0.2.1:40001           192.0.2.2:445            3.00 kB    10 B 6.08 kB",
        "tcp   192.0.2.1:40001           192.0.2.2:444            2.00 kB    10 B 4.08 kB",
        "icmp6 2001:db8:1111:2222:3333:4444:5555:6666                70 B    70 B   340 B",
        "   -> 2001:db8:1111:2222:3333:4444:5555:7777",
    };
    BOOST_REQUIRE(screen.size() == 24U);
    BOOST_TEST(lines(screen.begin(), screen.begin() + 11) == wanted,
               boost::test_tools::per_element());
    BOOST_TEST(std::all_of(screen.begin() + 11, screen.end() - 1,
                           [](const auto& line) { return line.empty(); }));
    BOOST_TEST(screen.back() == "q quits");
}

BOOST_AUTO_TEST_CASE(a_wide_one_shows_more) {
    const auto screen = top_talkers::screen(some_flows(), at(3s), 0, {200, 60});
    BOOST_REQUIRE(screen.size() == 60U);
    for (const auto* head : {"STATE", "AGE", "PKTS SENT", "PKTS BACK", "MARK", "NETNS"}) {
        BOOST_TEST(has(screen[1], head));
    }
    // Both ends in one line.
    BOOST_TEST(has(screen[2], '[' + long_one + "]:65535   [" + long_other + "]:65535"));
    BOOST_TEST(has(screen[2], "ESTABLISHED    3s"));
    BOOST_TEST(has(screen[2], "4026531840"));
    BOOST_TEST(screen[9].empty());
}

// However small or large: so many lines, none too long, heads and values below each other.
BOOST_AUTO_TEST_CASE(every_size) {
    const auto flows = some_flows();
    for (std::size_t columns = 0; columns < 260; ++columns) {
        for (const std::size_t rows : {0U, 1U, 2U, 3U, 4U, 5U, 24U}) {
            BOOST_TEST_CONTEXT(columns << " x " << rows) {
                const auto screen = top_talkers::screen(flows, at(3s), 12345, {columns, rows});
                BOOST_TEST(screen.size() == rows);
                for (const auto& line : screen) {
                    BOOST_TEST(line.size() <= columns);
                }
                if (columns >= 80 && rows == 24) {
                    BOOST_TEST(has(all(screen), '[' + long_other + "]:65535"));
                    BOOST_TEST(!has(all(screen), "~")); // Nothing is shortened.
                    BOOST_TEST(screen[1].size() == screen[2].size());
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(addresses_shortened_keep_their_port) {
    const auto screen = top_talkers::screen(some_flows(), at(3s), 0, {60, 24});
    BOOST_TEST(screen[2] == "tcp   [2001:db8:1111:2222:3333:4444:~]:65535 1.00 MB 2.50 MB");
}

BOOST_AUTO_TEST_CASE(a_flow_has_both_its_lines_or_none) {
    const auto flows = some_flows();
    const auto none = top_talkers::screen(flows, at(3s), 0, {80, 4});
    BOOST_TEST(none[2].empty());
    const auto both = top_talkers::screen(flows, at(3s), 0, {80, 5});
    BOOST_TEST(has(both[3], "->"));
}

BOOST_AUTO_TEST_CASE(losses_are_told) {
    const auto screen = top_talkers::screen(examples::flow_table(1, epoch), at(3s), 12, {80, 24});
    BOOST_TEST(screen.front() == "0 flows, 0 B/s sent, 0 B/s back");
    BOOST_TEST(screen.back() == "q quits; events lost: 12");
}

BOOST_AUTO_TEST_CASE(what_a_flow_moves_now) {
    examples::flow_table t(10, epoch);
    const sample s;
    t.apply(s.at(1s, 60, 0).update());
    const auto rates = [&](std::chrono::nanoseconds now) {
        top_talkers::rates r;
        t.for_each([&](const auto& f) { r = top_talkers::rates_of(f, at(now).boot); });
        return r;
    };
    BOOST_TEST(rates(1s).both() == 0); // Of one event none can be told.
    t.apply(s.at(3s, 2060, 400).update());
    BOOST_TEST(rates(3s).sent == 1000);
    BOOST_TEST(rates(3s).back == 200);
    BOOST_TEST(rates(4s).sent == 1000); // The next event is not due yet.
    BOOST_TEST(rates(7s).sent == 500);  // It fades,
    BOOST_TEST(rates(23s).both() == 120);
    t.apply(s.at(23s, 2060, 400).update());
    BOOST_TEST(rates(23s).both() == 0); // and is still.
}

BOOST_AUTO_TEST_CASE(a_flow_that_has_ended_stays_for_a_moment) {
    examples::flow_table t(10, epoch);
    const sample s;
    t.apply(s.at(1s, 60, 0).update());
    t.apply(s.at(2s, 5060, 0).destroy());
    const auto screen = top_talkers::screen(t, at(2s), 0, {200, 24});
    BOOST_TEST(has(screen[0], "0 flows, 5.00 kB/s sent"));
    BOOST_TEST(has(screen[2], "ended"));
}

BOOST_AUTO_TEST_SUITE_END()
