// SPDX-License-Identifier: Apache-2.0
//
// What is made of the facts about conntrack in a network namespace.
#include "support/preflight.hpp"

#include <ctflow/preflight.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <optional>
#include <string>

using namespace ctflow::test;
using ctflow::verdict;

namespace {

constexpr const char* rule = "nft 'table inet ctflow { chain watch { type filter hook prerouting "
                             "priority 0; ct state new; }; }'";

// enum nft_flowtable_flags.
constexpr std::uint32_t offload = 1;
constexpr std::uint32_t counter = 2;

} // namespace

BOOST_AUTO_TEST_SUITE(preflight_conntrack)

BOOST_AUTO_TEST_CASE(sysctls) {
    auto f = good_host();
    f.acct = 0;
    const auto acct = the_one(f, verdict::bad);
    BOOST_TEST(acct.name == "acct");
    BOOST_TEST(has(acct.finding, "no counters and no events"));
    BOOST_TEST(acct.this_namespace_only);
    BOOST_TEST(acct.remedy == "sysctl -w net.netfilter.nf_conntrack_acct=1");
    f = good_host();
    f.timestamp = 0;
    const auto timestamp = the_one(f, verdict::warning);
    BOOST_TEST(timestamp.name == "timestamp");
    BOOST_TEST(timestamp.remedy == "sysctl -w net.netfilter.nf_conntrack_timestamp=1");
    f.timestamp.reset(); // While there is acct: the kernel has none.
    BOOST_TEST(has(the_one(f, verdict::warning).remedy, "CONFIG_NF_CONNTRACK_TIMESTAMP"));
    f.acct.reset();
    BOOST_TEST((only(f, "acct").verdict == verdict::warning));
    BOOST_TEST(has(only(f, "timestamp").finding, "cannot be told"));
}

BOOST_AUTO_TEST_CASE(sysctls_that_the_program_sets) {
    auto f = good_host();
    f.sysctls_applied = true;
    BOOST_TEST(judge(f, {}).works());
    f.acct = 0;
    auto c = the_one(f, verdict::warning);
    BOOST_TEST(c.name == "acct");
    BOOST_TEST(has(c.finding, "will be set"));
    f.acct = 1;
    f.timestamp = 0;
    c = the_one(f, verdict::warning);
    BOOST_TEST(c.name == "timestamp");
    BOOST_TEST(has(c.finding, "will be set"));

    // The program ends if it may not.
    f.sysctls_writable = false;
    c = the_one(f, verdict::bad);
    BOOST_TEST(c.name == "timestamp");
    BOOST_TEST(has(c.finding, "--no-sysctl"));
    BOOST_TEST(!c.this_namespace_only);
    f.timestamp = 1;
    f.acct = 0;
    c = the_one(f, verdict::bad);
    BOOST_TEST(c.name == "acct");
    BOOST_TEST(has(c.finding, "--no-sysctl"));
    BOOST_TEST(!c.this_namespace_only);
    f.acct = 1;
    BOOST_TEST(judge(f, {}).works()); // Nothing to set.

    f.timestamp.reset(); // A kernel that has none.
    BOOST_TEST(has(the_one(f, verdict::bad).remedy, "--no-sysctl"));
    f.acct.reset();
    BOOST_TEST((only(f, "acct").verdict == verdict::bad));
    BOOST_TEST((only(f, "timestamp").verdict == verdict::bad));
}

BOOST_AUTO_TEST_CASE(sysctls_that_nobody_can_set_in_here) {
    constexpr const char* by_command = "sysctl -w net.netfilter.nf_conntrack_acct=1";
    auto f = good_host();
    f.acct = 0;
    f.sysctls_applied = true;
    f.sysctls_writable = false;
    f.effective = bpf | perfmon; // Root can.
    BOOST_TEST(only(f, "acct").remedy == by_command);
    const auto check = [&] {
        const auto remedy = only(f, "acct").remedy;
        BOOST_TEST(has(remedy, std::string("nsenter -t PID -n ") + by_command), remedy);
        BOOST_TEST(has(remedy, "--sysctl net.netfilter.nf_conntrack_acct=1"), remedy);
    };
    f.sysctls_read_only = true;
    check();
    f.sysctls_read_only = false;
    f.effective = everything; // And yet they are not writable.
    check();
    f.sysctls_applied = false;
    check();
    f.timestamp = 0;
    BOOST_TEST(has(only(f, "timestamp").remedy, "--sysctl net.netfilter.nf_conntrack_timestamp=1"));
    f.sysctls_writable = true;
    BOOST_TEST(only(f, "acct").remedy == by_command);
}

BOOST_AUTO_TEST_CASE(tracking_of_some_families) {
    struct {
        ctflow::checks::tracked_families hooks;
        verdict expected;
        const char* finding;
    } const cases[] = {
        {{true, true, false}, verdict::good, "packets are followed: IPv4, IPv6"},
        {{true, true, true}, verdict::good, "packets are followed: IPv4, IPv6, bridges"},
        {{true, false, false},
         verdict::warning,
         "only IPv4 is followed: IPv6 flows have no events"},
        {{true, false, true},
         verdict::warning,
         "only IPv4, bridges are followed: IPv6 flows have no events elsewhere"},
        {{false, true, false}, verdict::bad, "only IPv6 is followed: IPv4 flows have no events"},
        {{false, false, true},
         verdict::bad,
         "only bridges are followed: IPv4, IPv6 flows have no events elsewhere"},
    };
    for (const auto& each : cases) {
        auto f = good_host();
        f.hooks = each.hooks;
        const auto c = the_one(f, each.expected);
        const bool good = each.expected == verdict::good;
        BOOST_TEST(c.name == (good ? "" : "tracking"));
        BOOST_TEST(c.remedy == (good ? "" : rule));
        BOOST_TEST(c.this_namespace_only == !good);
        BOOST_TEST(only(f, "tracking").finding == each.finding);
    }
    auto f = good_host();
    f.ipv6 = false;
    f.hooks = {true, false, false};
    BOOST_TEST((only(f, "tracking").verdict == verdict::good));
    f.hooks = {false, false, true};
    BOOST_TEST(has(the_one(f, verdict::bad).finding, ": IPv4 flows "));
}

BOOST_AUTO_TEST_CASE(tracking_by_what_the_kernel_lists) {
    auto f = good_host();
    f.hooks = {false, false, false};
    f.loopback = {true, true}; // Is not asked, then.
    const auto left_over = the_one(f, verdict::warning);
    BOOST_TEST(left_over.name == "tracking");
    BOOST_TEST(has(left_over.finding, "3 flows"));
    BOOST_TEST(left_over.remedy == rule);
    f.count = 0;
    const auto none = the_one(f, verdict::bad);
    BOOST_TEST(none.name == "tracking");
    BOOST_TEST(has(none.finding, "in this network namespace"));
    BOOST_TEST(has(none.finding, "those of other namespaces may"));
    BOOST_TEST(none.this_namespace_only);
    BOOST_TEST(none.remedy == rule);
}

BOOST_AUTO_TEST_CASE(tracking_by_what_can_be_seen) {
    constexpr auto unknown = std::nullopt;
    struct {
        ctflow::checks::loopback_answers loopback;
        std::uint64_t count;
        verdict expected;
        const char* remedy;
    } const cases[] = {{{true, true}, 0, verdict::good, ""},
                       {{true, true}, 9, verdict::good, ""},
                       {{true, unknown}, 0, verdict::good, ""},
                       {{unknown, true}, 0, verdict::good, ""},
                       {{true, false}, 0, verdict::warning, rule},
                       {{true, false}, 9, verdict::warning, rule},
                       {{false, true}, 0, verdict::bad, rule},
                       {{false, true}, 9, verdict::warning, rule},
                       {{false, false}, 0, verdict::bad, rule},
                       {{false, false}, 9, verdict::warning, rule},
                       {{false, unknown}, 0, verdict::bad, rule},
                       {{unknown, false}, 0, verdict::bad, rule},
                       {{unknown, unknown}, 0, verdict::warning, "ip link set lo up"},
                       {{unknown, unknown}, 9, verdict::good, ""}};
    for (const auto& each : cases) {
        auto f = good_host();
        f.hooks.reset();
        f.loopback = each.loopback;
        f.count = each.count;
        const auto c = only(f, "tracking");
        BOOST_TEST((c.verdict == each.expected), c);
        BOOST_TEST((c.this_namespace_only || c.verdict != verdict::bad));
        BOOST_TEST(c.remedy == each.remedy);
    }
    auto f = good_host();
    f.hooks.reset();
    f.loopback = {true, unknown};
    BOOST_TEST(only(f, "tracking").finding == "packets are followed, as seen over loopback: IPv4");
    f.loopback = {true, false};
    BOOST_TEST(only(f, "tracking").finding ==
               "only IPv4 is followed over loopback: IPv6 flows have no events");
}

BOOST_AUTO_TEST_CASE(table) {
    struct {
        std::uint64_t count;
        std::uint64_t max;
        verdict expected;
        const char* remedy;
    } const cases[] = {{0, 1000, verdict::good, ""},
                       {900, 1000, verdict::good, ""},
                       {901, 1000, verdict::warning, "2000"},
                       {999, 1000, verdict::warning, "2000"},
                       {1000, 1000, verdict::bad, "2000"},
                       {5000, 1000, verdict::bad, "10000"},
                       {1, 1, verdict::bad, "2"},
                       {5000, 0, verdict::good, ""}}; // No limit.
    for (const auto& each : cases) {
        auto f = good_host();
        f.count = each.count;
        f.max = each.max;
        const auto c = the_one(f, each.expected);
        const std::string remedy = each.remedy;
        BOOST_TEST(c.name == (remedy.empty() ? "" : "table"));
        BOOST_TEST(c.remedy ==
                   (remedy.empty() ? "" : "sysctl -w net.netfilter.nf_conntrack_max=" + remedy));
    }
    auto f = good_host();
    f.count = f.max = 1;
    f.max_belongs_here = false;
    BOOST_TEST(the_one(f, verdict::bad).remedy ==
               "nsenter -t 1 -n sysctl -w net.netfilter.nf_conntrack_max=2");
    f.max.reset();
    BOOST_TEST(the_one(f, verdict::warning).name == "table");
}

BOOST_AUTO_TEST_CASE(flow_tables) {
    auto f = good_host();
    f.flow_tables = {{"inet", "t", "f", 0, counter}};
    BOOST_TEST(has(only(f, "offload").finding, "no updates"));
    BOOST_TEST((only(f, "offload").verdict == verdict::good));
    f.flow_tables = {{"inet", "t", "f", 0, counter}, {"ip", "u", "g", -5, 0}};
    const auto c = the_one(f, verdict::warning);
    BOOST_TEST(c.name == "offload");
    BOOST_TEST(has(c.finding, "(g)"));
    BOOST_TEST(c.remedy == "nft 'add flowtable ip u g { hook ingress priority -5; counter; }'");
    f.flow_tables->front().flags = 0;
    BOOST_TEST(the_one(f, verdict::warning).remedy ==
               "nft 'add flowtable inet t f { hook ingress priority 0; counter; }'; " + c.remedy);
    // What hardware does is not to be taken away from it.
    f.flow_tables = {{"inet", "wan-1/a", "f", 0, offload}};
    BOOST_TEST(the_one(f, verdict::warning).remedy ==
               "nft 'add flowtable inet wan-1/a f { hook ingress priority 0; flags offload; "
               "counter; }'");
    f.flow_tables->front().flags = offload | counter;
    BOOST_TEST((only(f, "offload").verdict == verdict::good));
    // What a shell or nft would take for something else is not put into a command, nor are those
    // beside it: that would be half of what there is to do.
    for (const char* name : {"a'; reboot; '", "$(reboot)", "a b", "", "-f", "1f"}) {
        f.flow_tables = {{"inet", "t", "f", 0, 0}, {"inet", "t", name, 0, 0}};
        const auto remedy = the_one(f, verdict::warning).remedy;
        BOOST_TEST(has(remedy, "nft list flowtables"));
        BOOST_TEST(!has(remedy, "add flowtable"));
        BOOST_TEST(!has(remedy, "reboot"));
    }
    f.flow_tables = {{"inet", "t", "f", 0, 1U << 7}}; // Who knows.
    BOOST_TEST(!has(the_one(f, verdict::warning).remedy, "add flowtable"));
}

BOOST_AUTO_TEST_CASE(flow_tables_that_may_not_be_listed) {
    auto f = good_host();
    f.flow_tables.reset();
    BOOST_TEST(the_one(f, verdict::warning).remedy == "nft list flowtables");
    f.effective = bpf | perfmon;
    const auto c = the_one(f, verdict::warning);
    BOOST_TEST(c.name == "offload");
    BOOST_TEST(has(c.finding, "CAP_NET_ADMIN"));
    BOOST_TEST(c.remedy.starts_with("setcap "));
}

BOOST_AUTO_TEST_SUITE_END()
