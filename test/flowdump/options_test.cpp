// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <ctflow/error.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using arguments = std::vector<std::string>;
using std::chrono::nanoseconds;

namespace {

flowdump::options good(const arguments& a) {
    const auto result = flowdump::parse(a);
    if (const auto* error = std::get_if<std::string>(&result)) {
        BOOST_FAIL(*error);
    }
    return std::get<flowdump::options>(result);
}

std::string bad(const arguments& a) {
    const auto result = flowdump::parse(a);
    if (!std::holds_alternative<std::string>(result)) {
        BOOST_FAIL("accepted: " + (a.empty() ? "" : a.back()));
    }
    return std::get<std::string>(result);
}

} // namespace

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(nothing_gives_the_defaults) {
    const auto o = good({});
    BOOST_TEST(!o.json);
    BOOST_TEST((o.mode == ctflow::consumer_mode::all));
    BOOST_TEST(!o.count.has_value());
    BOOST_TEST(!o.duration.has_value());
    BOOST_TEST((o.config.attach == ctflow::attach_mode::automatic));
    BOOST_TEST((o.config.transport == ctflow::transport_kind::perf_buffer));
    BOOST_TEST(o.config.buffer_pages == 0U); // The probe's default.
    BOOST_TEST(o.config.reserve_pages == 1024U);
    BOOST_TEST(o.config.max_flows == 65536U);
    BOOST_TEST(o.config.netlink_buffer == 4194304U);
    BOOST_TEST(o.queue == ctflow::consumer::default_capacity);
    BOOST_TEST(o.sysctl);
    BOOST_TEST(!o.stats);
    BOOST_TEST(!o.check);
    BOOST_TEST(!o.version);
    BOOST_TEST(!o.help);
}

BOOST_AUTO_TEST_CASE(switches) {
    BOOST_TEST(good({"--json"}).json);
    BOOST_TEST(!good({"--no-sysctl"}).sysctl);
    BOOST_TEST(good({"--stats"}).stats);
    BOOST_TEST(good({"--check"}).check);
    BOOST_TEST(good({"--version"}).version);
    BOOST_TEST(good({"--help"}).help);
    BOOST_TEST(bad({"--json=yes"}) == "--json takes no value");
    BOOST_TEST(bad({"--no-sysctl="}) == "--no-sysctl takes no value");
}

BOOST_AUTO_TEST_CASE(words) {
    BOOST_TEST((good({"--mode", "update"}).mode == ctflow::consumer_mode::update));
    BOOST_TEST((good({"--mode=destroy"}).mode == ctflow::consumer_mode::destroy));
    BOOST_TEST((good({"--mode", "all"}).mode == ctflow::consumer_mode::all));
    for (const char* rubbish : {"", "updates", "ALL", "update,destroy", " all"}) {
        BOOST_TEST(bad({"--mode", rubbish}) ==
                   "--mode must be update, destroy or all, not '" + std::string(rubbish) + "'");
    }

    BOOST_TEST((good({"--attach", "auto"}).config.attach == ctflow::attach_mode::automatic));
    BOOST_TEST((good({"--attach", "fentry"}).config.attach == ctflow::attach_mode::fentry));
    BOOST_TEST((good({"--attach", "kprobe"}).config.attach == ctflow::attach_mode::kprobe));
    BOOST_TEST((good({"--attach", "netfilter"}).config.attach == ctflow::attach_mode::netfilter));
    for (const char* rubbish : {"", "automatic", "fexit", "-1"}) {
        BOOST_TEST(bad({"--attach", rubbish}) ==
                   "--attach must be auto, fentry, kprobe or netfilter, not '" +
                       std::string(rubbish) + "'");
    }

    using ctflow::transport_kind;
    const auto transport = [](const char* word) {
        return good({"--transport", word}).config.transport;
    };
    BOOST_TEST((transport("perf_buffer") == transport_kind::perf_buffer));
    BOOST_TEST((transport("ring_buffer") == transport_kind::ring_buffer));
    for (const char* rubbish : {"", "perf", "ring-buffer", "ring_buffers"}) {
        BOOST_TEST(bad({"--transport", rubbish}) ==
                   "--transport must be perf_buffer or ring_buffer, not '" + std::string(rubbish) +
                       "'");
    }
}

BOOST_AUTO_TEST_CASE(numbers) {
    BOOST_TEST(good({"--community-id", "0"}).community_seed.value() == 0U);
    BOOST_TEST(good({"--community-id", "65535"}).community_seed.value() == 65535U);
    BOOST_TEST(bad({"--community-id", "65536"}) ==
               "--community-id must be a whole number from 0 to 65535, not '65536'");
    BOOST_TEST(good({"--count", "1"}).count.value() == 1U);
    BOOST_TEST(good({"--count", "18446744073709551615"}).count.value() ==
               std::numeric_limits<std::uint64_t>::max());
    BOOST_TEST(good({"--buffer-pages", "1"}).config.buffer_pages == 1U);
    BOOST_TEST(good({"--buffer-pages", "4096"}).config.buffer_pages == 4096U);
    BOOST_TEST(good({"--reserve-pages", "16384"}).config.reserve_pages == 16384U);
    BOOST_TEST(good({"--netlink-buffer", "4096"}).config.netlink_buffer == 4096U);
    BOOST_TEST(good({"--netlink-buffer", "1073741824"}).config.netlink_buffer == 1073741824U);
    BOOST_TEST(good({"--queue", "1"}).queue == 1U);
    BOOST_TEST(good({"--queue", "16777216"}).queue == 16777216U);
    BOOST_TEST(good({"--max-flows", "67108864"}).config.max_flows == 67108864U);

    const std::vector<std::string> rubbish = {
        "", "0", "-1", "+1", "1.5", "1e3", "1k", "0x1", " 1", "1 ", "one", "18446744073709551616"};
    for (const auto& value : rubbish) {
        const auto not_it = ", not '" + value + "'";
        BOOST_TEST(bad({"--count", value}) ==
                   "--count must be a whole number from 1 to 18446744073709551615" + not_it);
        BOOST_TEST(bad({"--buffer-pages", value}) ==
                   "--buffer-pages must be a power of two such as 64" + not_it);
        BOOST_TEST(bad({"--queue", value}) ==
                   "--queue must be a whole number from 1 to 16777216" + not_it);
        BOOST_TEST(bad({"--netlink-buffer", value}) ==
                   "--netlink-buffer must be a whole number from 4096 to 1073741824" + not_it);
        BOOST_TEST(bad({"--max-flows", value}) ==
                   "--max-flows must be a whole number from 1 to 67108864" + not_it);
    }
    for (const char* outside : {"4095", "1073741825"}) {
        BOOST_TEST(bad({"--netlink-buffer", outside}).starts_with("--netlink-buffer must be"));
    }
    BOOST_TEST(bad({"--queue", "16777217"}).starts_with("--queue must be"));
    BOOST_TEST(bad({"--max-flows", "67108865"}).starts_with("--max-flows must be"));

    const auto why = make_error_code(ctflow::errc::buffer_pages).message();
    BOOST_TEST(bad({"--buffer-pages", "3"}) == "--buffer-pages 3: " + why);
    BOOST_TEST(bad({"--reserve-pages", "3"}) ==
               "--reserve-pages 3: " + make_error_code(ctflow::errc::reserve_pages).message());
    BOOST_TEST(bad({"--reserve-pages", "x"}).starts_with("--reserve-pages must be"));
    BOOST_TEST(bad({"--buffer-pages", "18446744073709551615"}) ==
               "--buffer-pages 18446744073709551615: " + why);
}

BOOST_AUTO_TEST_CASE(durations) {
    const std::vector<std::pair<std::string, nanoseconds>> times = {
        {"0", 0ns},
        {"0h", 0ns},
        {"7ns", 7ns},
        {"7us", 7us},
        {"7ms", 7ms},
        {"10s", 10s},
        {"007m", 7min},
        {"7h", 7h},
        {"9223372036854775807ns", nanoseconds::max()},
        {"2562047h", 2562047h},
    };
    for (const auto& [text, value] : times) {
        BOOST_TEST((good({"--duration", text}).duration == value), text);
    }
    for (const char* rubbish :
         {"", "10", "s", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1d", "1min", "1s1ms",
          "00", "ten", "9223372036854775808ns", "2562048h", "99999999999999999999s"}) {
        BOOST_TEST(bad({"--duration", rubbish}) ==
                   "--duration must be a time such as 10s (ns, us, ms, s, m or h), not '" +
                       std::string(rubbish) + "'");
    }
}

BOOST_AUTO_TEST_CASE(curves) {
    const auto c = good({"--curve", "10ms:20ms,1m:2m,5h:6h"}).config;
    BOOST_TEST((c.curve0 == ctflow::curve_point{10ms, 20ms}));
    BOOST_TEST((c.curve1 == ctflow::curve_point{1min, 2min}));
    BOOST_TEST((c.curve2 == ctflow::curve_point{5h, 6h}));
    BOOST_TEST((good({"--curve", "0:0,0:0,0:0"}).config.curve2 == ctflow::curve_point{}));

    for (const char* rubbish :
         {"", ",", ",,", "0s:20s", "0s:20s,1m:1m", "0s:20s,1m:1m,5m:5m,6m:6m",
          "0s:20s,1m:1m,5m:5m,", ",0s:20s,1m:1m,5m:5m", "0s:20s,1m,5m:5m", "0s:20s,1m:1m:1m,5m:5m",
          "0s:20s,1m:,5m:5m", "0s:20s,:1m,5m:5m", "0s:20s, 1m:1m,5m:5m", "0s:20s,1m:-1m,5m:5m",
          "0s:20s,1m:1m,5:5", "0s:20s;1m:1m;5m:5m", "0s:20s,1m:1m,5m:2562048h"}) {
        BOOST_TEST(bad({"--curve", rubbish}) ==
                   "--curve must be three points AGE:RATE such as 0s:20s,1m:1m,5m:5m "
                   "(ns, us, ms, s, m or h), not '" +
                       std::string(rubbish) + "'");
    }

    BOOST_TEST(bad({"--curve", "2m:20s,1m:1m,5m:5m"}) ==
               "--curve 2m:20s,1m:1m,5m:5m: " +
                   make_error_code(ctflow::errc::curve0_age).message());
    BOOST_TEST(bad({"--curve", "0s:20s,5m:1m,5m:5m"}) ==
               "--curve 0s:20s,5m:1m,5m:5m: " +
                   make_error_code(ctflow::errc::curve1_age).message());
}

BOOST_AUTO_TEST_CASE(what_to_hook_and_what_types_to_use) {
    const auto o = good({"--avoid", "nf_ct_destroy", "--btf", "/tmp/btf", "--avoid=other"});
    BOOST_TEST((o.config.avoid_functions == std::vector<std::string>{"nf_ct_destroy", "other"}));
    BOOST_TEST(o.config.btf_file == "/tmp/btf");
    BOOST_TEST(bad({"--btf", ""}) == "--btf must be the name of a file, not ''");
}

BOOST_AUTO_TEST_CASE(a_filter_is_read_or_pointed_at) {
    BOOST_TEST(!good({}).config.filter);
    const auto f = good({"--filter", "proto tcp and not port 22"}).config.filter;
    BOOST_TEST((f == ctflow::filter::parse("proto tcp and not port 22")));
    BOOST_TEST(good({"--filter", ""}).config.filter->lets_all_through());
    BOOST_TEST(bad({"--filter", "proto tcp and prot 22"})
                   .starts_with("--filter: at character 15: expected a test ("));
    BOOST_TEST(bad({"--filter", "proto tcp and prot 22"})
                   .ends_with("\n  proto tcp and prot 22\n                ^"));
}

BOOST_AUTO_TEST_CASE(the_intervals_are_times) {
    BOOST_TEST((good({"--flush-interval", "0"}).config.flush_interval == 0s));
    BOOST_TEST((good({"--flush-interval", "1s"}).config.flush_interval == 1s));
    BOOST_TEST(bad({"--flush-interval", "1001ms"}) ==
               "--flush-interval must be a time such as 500us (ns, us, ms, s, m or h), 1s at most, "
               "not '1001ms'");
    BOOST_TEST(!good({}).config.tcp_sides);
    BOOST_TEST(good({"--tcp-sides"}).config.tcp_sides);
    BOOST_TEST(!good({}).config.processes);
    BOOST_TEST(good({"--processes"}).config.processes);
    BOOST_TEST((good({}).config.audit_interval == 150s));
    BOOST_TEST((good({"--audit-interval", "0"}).config.audit_interval == 0s));
    BOOST_TEST((good({"--audit-interval", "24h"}).config.audit_interval == 24h));
    for (const std::string value : {"25h", "1", "-1s", ""}) {
        BOOST_TEST(bad({"--audit-interval", value}) ==
                   "--audit-interval must be a time such as 150s (ns, us, ms, s, m or h), 24h at "
                   "most, not '" +
                       value + "'");
    }
}

BOOST_AUTO_TEST_CASE(everything_else) {
    for (const char* option : {"--mode", "--count", "--duration", "--curve", "--attach", "--avoid",
                               "--btf", "--transport", "--buffer-pages", "--flush-interval",
                               "--netlink-buffer", "--audit-interval", "--queue", "--max-flows"}) {
        BOOST_TEST(bad({option}) == std::string(option) + " needs a value");
    }
    BOOST_TEST(bad({"--bogus"}) == "unknown option --bogus");
    BOOST_TEST(bad({"--bogus=1"}) == "unknown option --bogus=1");
    BOOST_TEST(bad({"--json", "-x"}) == "unknown option -x");
    BOOST_TEST(bad({"-xyz"}) == "unknown option -x");
    BOOST_TEST(bad({"eth0"}) == "unexpected argument 'eth0'");
    BOOST_TEST(bad({"eth0", "--json"}) == "unexpected argument 'eth0'");
    BOOST_TEST(bad({""}) == "unexpected argument ''");
    BOOST_TEST(bad({"--", "--json"}) == "unexpected argument '--json'");

    // The last of several counts, and one parse leaves nothing behind for the next.
    BOOST_TEST(good({"--count", "1", "--json", "--count", "2"}).count.value() == 2U);
    BOOST_TEST(good({"--stats"}).stats);
}

BOOST_AUTO_TEST_SUITE_END()
