// SPDX-License-Identifier: Apache-2.0
//
// Whether conntrack has something to tell, in this network namespace.
#include "preflight/judge.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include <linux/capability.h>
#include <linux/netfilter/nf_tables.h>

namespace ctflow::checks {
namespace {

// One rule that looks at conntrack's state makes conntrack follow all packets of the family, those
// that the host sends too; this one does nothing else.
constexpr const char* track_all =
    "nft 'table inet ctflow { chain watch { type filter hook prerouting priority 0; ct state new; "
    "}; }'";

constexpr const char* cannot_read = "cannot be told: its sysctl is not to be seen";
constexpr const char* show_sysctls = "make /proc/sys/net/netfilter visible here";

constexpr const char* no_timestamps =
    "leave sysctls alone (flowdump --no-sysctl), or boot a kernel "
    "built with CONFIG_NF_CONNTRACK_TIMESTAMP";

// What follows where a sysctl is not as the program wants it.
std::string cannot_set(const host_facts& f) {
    return f.sysctls_applied
               ? ", and cannot be set here: apply_sysctls() fails, and flowdump without --no-sysctl"
               : "";
}

std::string flows(std::uint64_t count) {
    return std::to_string(count) + (count == 1 ? " flow" : " flows");
}

// The command that sets a sysctl, or what to do where nobody in here can.
std::string set_sysctl(const host_facts& f, const std::string& assignment) {
    std::string command = "sysctl -w " + assignment;
    if (!f.sysctls_read_only && (f.sysctls_writable || !has_capability(f, CAP_NET_ADMIN))) {
        return command;
    }
    return "on the host, with the PID of a process in here: nsenter -t PID -n " + command +
           "; or run the container with --sysctl " + assignment + " or a writable /proc/sys";
}

std::string list(const tracked_families& t) {
    std::string text;
    for (const auto& [there, name] :
         {std::pair(t.ipv4, "IPv4"), {t.ipv6, "IPv6"}, {t.bridge, "bridges"}}) {
        if (there) {
            text += (text.empty() ? "" : ", ") + std::string(name);
        }
    }
    return text;
}

// What this namespace has of IP, and is not followed.
std::string list_missing(const tracked_families& t, const host_facts& f) {
    return list({!t.ipv4, !t.ipv6 && f.ipv6, false});
}

// By tracing the probe sees all namespaces.
condition untracked(const std::string& why, bool netfilter) {
    return {"tracking", verdict::bad,
            why + ": its flows have no events" +
                (netfilter ? "" : ", those of other namespaces may"),
            track_all, true};
}

// Without IPv4 it is bad: that is most of what most hosts carry. Without IPv6 it need not be: most
// hosts have addresses of it, whether it is used or not.
condition followed_in_part(const tracked_families& t, const host_facts& f, const char* how) {
    return {"tracking", t.ipv4 ? verdict::warning : verdict::bad,
            "only " + list(t) + (t.bridge ? " are followed" : " is followed") + how + ": " +
                list_missing(t, f) + " flows have no events" + (t.bridge ? " elsewhere" : ""),
            track_all, true};
}

condition judge_hooked(const tracked_families& t, const host_facts& f, bool netfilter) {
    if (const auto families = list(t); !families.empty()) {
        if (!list_missing(t, f).empty()) {
            return followed_in_part(t, f, "");
        }
        return {"tracking", verdict::good, "packets are followed: " + families, {}};
    }
    if (f.count.value_or(0) != 0) {
        // Open vSwitch and tc's action ct call conntrack without hooks.
        return {"tracking", verdict::warning,
                "no rule of this namespace makes conntrack follow packets; the " + flows(*f.count) +
                    " in its table are left over, or Open vSwitch's or tc's",
                track_all};
    }
    return untracked("nothing in this network namespace makes conntrack follow packets", netfilter);
}

// nft's identifiers, and nothing that a shell would take for something else.
bool plain_word(const std::string& word) {
    constexpr std::string_view first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    return !word.empty() && first.find(word.front()) != first.npos &&
           word.find_first_not_of(std::string(first) + "0123456789./-") == word.npos;
}

bool counts(const flow_table& t) {
    return (t.flags & NFT_FLOWTABLE_COUNTER) != 0;
}

// Nothing if it cannot be put into a command.
std::optional<std::string> add_counter(const flow_table& t) {
    constexpr std::uint32_t known = NFT_FLOWTABLE_MASK;
    if (!plain_word(t.family) || !plain_word(t.table) || !plain_word(t.name) ||
        (t.flags & ~known) != 0) {
        return std::nullopt;
    }
    // To leave it out would be to take it away, which the kernel refuses.
    const char* const offload = (t.flags & NFT_FLOWTABLE_HW_OFFLOAD) != 0 ? "flags offload; " : "";
    return "nft 'add flowtable " + t.family + " " + t.table + " " + t.name +
           " { hook ingress priority " + std::to_string(t.priority) + "; " + offload +
           "counter; }'";
}

// To all of them by commands, or else in words: some of the commands would not mend it.
std::string add_counters(const std::vector<flow_table>& tables) {
    std::string commands;
    for (const auto& t : tables) {
        const auto command = add_counter(t);
        if (!command) {
            return "add `counter;` to these flow tables (nft list flowtables) in the rule set, and "
                   "load that again";
        }
        commands += (commands.empty() ? "" : "; ") + *command;
    }
    return commands;
}

} // namespace

condition judge_acct(const host_facts& f) {
    if (!f.acct) {
        return {"acct", f.sysctls_applied ? verdict::bad : verdict::warning,
                cannot_read + cannot_set(f), show_sysctls};
    }
    if (*f.acct == 0) {
        const auto remedy = set_sysctl(f, "net.netfilter.nf_conntrack_acct=1");
        if (!f.sysctls_applied) {
            return {"acct", verdict::bad,
                    "nf_conntrack_acct is 0: flows that begin now have no counters and no events",
                    remedy, true};
        }
        if (!f.sysctls_writable) {
            return {"acct", verdict::bad, "nf_conntrack_acct is 0" + cannot_set(f), remedy};
        }
        return {"acct", verdict::warning,
                "nf_conntrack_acct is 0, and will be set at the start (apply_sysctls()): flows "
                "that began before have no counters and no events",
                remedy};
    }
    return {"acct", verdict::good, "flows are counted", {}};
}

condition judge_timestamp(const host_facts& f) {
    if (!f.timestamp) {
        // Of a kernel that was built without, while the other one is there.
        return {"timestamp", f.sysctls_applied ? verdict::bad : verdict::warning,
                (f.acct ? "this kernel has no time stamps: events do not tell when a flow began"
                        : cannot_read) +
                    cannot_set(f),
                f.acct ? no_timestamps : show_sysctls};
    }
    if (*f.timestamp == 0) {
        const auto remedy = set_sysctl(f, "net.netfilter.nf_conntrack_timestamp=1");
        if (!f.sysctls_applied) {
            return {"timestamp", verdict::warning,
                    "nf_conntrack_timestamp is 0: events of flows that begin now do not tell when",
                    remedy, true};
        }
        if (!f.sysctls_writable) {
            return {"timestamp", verdict::bad, "nf_conntrack_timestamp is 0" + cannot_set(f),
                    remedy};
        }
        return {"timestamp", verdict::warning,
                "nf_conntrack_timestamp is 0, and will be set at the start (apply_sysctls()): "
                "events of flows that began before do not tell when",
                remedy};
    }
    return {"timestamp", verdict::good, "the start of flows is known", {}};
}

// Whether ctnetlink tells of the ends of flows.
condition judge_events(const host_facts& f) {
    if (!f.events) {
        return {"events", verdict::warning, cannot_read, show_sysctls};
    }
    if (*f.events == 0) {
        return {"events", verdict::bad,
                "nf_conntrack_events is 0: no end is told of flows that begin now",
                set_sysctl(f, "net.netfilter.nf_conntrack_events=1")};
    }
    if (*f.events == 2) {
        return {"events",
                verdict::good,
                "the ends of flows are told, but of those never that began while nobody listened "
                "(nf_conntrack_events is 2)",
                {}};
    }
    return {"events", verdict::good, "the ends of flows are told", {}};
}

condition judge_tracking(const host_facts& f, const config& c) {
    const bool netfilter = by_netfilter(f, c);
    if (f.hooks) {
        return judge_hooked(*f.hooks, f, netfilter);
    }
    const auto count = f.count.value_or(0);
    const auto& [ipv4, ipv6] = f.loopback;
    const tracked_families seen{ipv4.value_or(false), ipv6.value_or(false), false};
    if (seen.ipv4 || seen.ipv6) {
        if (ipv4.value_or(true) && ipv6.value_or(true)) {
            return {"tracking",
                    verdict::good,
                    "packets are followed, as seen over loopback: " + list(seen),
                    {}};
        }
        auto part = followed_in_part(seen, f, " over loopback");
        if (count != 0) {
            part.verdict = verdict::warning; // By a rule that exempts loopback, perhaps.
        }
        return part;
    }
    if (!ipv4 && !ipv6) {
        if (count != 0) {
            return {"tracking", verdict::good, "the table holds " + flows(count), {}};
        }
        return {"tracking", verdict::warning,
                "cannot be told: the table is empty, and loopback, to try it, is down",
                "ip link set lo up"};
    }
    if (count != 0) {
        return {"tracking", verdict::warning,
                "packets over loopback are not followed; the " + flows(count) +
                    " in the table may be left over",
                track_all};
    }
    return untracked("conntrack does not follow packets in this network namespace, as tried over "
                     "loopback, and its table is empty",
                     netfilter);
}

condition judge_table(const host_facts& f) {
    if (!f.count || !f.max) {
        return {"table", verdict::warning, cannot_read, show_sysctls};
    }
    if (*f.max == 0) {
        return {"table", verdict::good, flows(*f.count) + ", no limit", {}};
    }
    const auto filled = flows(*f.count) + " of " + std::to_string(*f.max);
    const bool full = *f.count >= *f.max;
    if (!full && *f.count * 10 <= *f.max * 9) {
        return {"table", verdict::good, filled, {}};
    }
    const auto enough = std::max(*f.count, *f.max) * 2;
    return {"table", full ? verdict::bad : verdict::warning,
            filled + (full ? ": it is full, packets of new flows are dropped" : ": almost full"),
            (f.max_belongs_here ? "" : "nsenter -t 1 -n ") +
                ("sysctl -w net.netfilter.nf_conntrack_max=" + std::to_string(enough)),
            true};
}

condition judge_offload(const host_facts& f) {
    if (!f.flow_tables) {
        if (has_capability(f, CAP_NET_ADMIN)) {
            return {"offload", verdict::warning,
                    "cannot be told: the kernel does not list flow tables", "nft list flowtables"};
        }
        return {"offload", verdict::warning,
                "cannot be told: only CAP_NET_ADMIN may ask for flow tables", grant(f)};
    }
    if (f.flow_tables->empty()) {
        return {"offload", verdict::good, "no flow tables", {}};
    }
    auto tables = *f.flow_tables;
    std::erase_if(tables, counts);
    if (tables.empty()) {
        return {"offload",
                verdict::good,
                "flow tables with counter: flows in them send no updates, but are counted",
                {}};
    }
    std::string names;
    for (const auto& t : tables) {
        names += (names.empty() ? "" : ", ") + (plain_word(t.name) ? t.name : "?");
    }
    return {"offload", verdict::warning,
            "flow tables without counter (" + names +
                "): flows in them send no updates, and their packets are not counted",
            add_counters(tables)};
}

} // namespace ctflow::checks
