// SPDX-License-Identifier: Apache-2.0
//
// Whether there is memory for it.
#include "preflight/judge.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace ctflow::checks {
namespace {

// One of the things that take kernel memory.
struct memory_need {
    std::uint64_t bytes;
    std::string text;
    const char* remedy;
};

constexpr const char* lower_pages = "lower buffer_pages (flowdump --buffer-pages)";

std::vector<memory_need> memory_needs(const host_facts& f, const config& c) {
    std::vector<memory_need> all;
    const auto kept = host::kept_flows_of(c, by_netfilter(f, c));
    if (by_netfilter(f, c)) {
        all.push_back({host::netfilter_ring_bytes(c.buffer_pages, f.machine),
                       host::netfilter_ring_need(c.buffer_pages, f.machine), lower_pages});
    } else {
        all.push_back({host::ring_bytes(c.transport, c.buffer_pages, f.machine),
                       host::ring_need(c.transport, c.buffer_pages, f.machine), lower_pages});
        all.push_back({host::reserve_bytes(c.reserve_pages, f.machine),
                       host::reserve_need(c.reserve_pages, f.machine),
                       "lower reserve_pages (flowdump --reserve-pages)"});
    }
    all.push_back({host::flow_table_bytes(kept), host::flow_table_need(kept),
                   "lower max_flows (flowdump --max-flows)"});
    return all;
}

} // namespace

condition judge_memory(const host_facts& f, const config& c) {
    const bool netfilter = by_netfilter(f, c);
    const auto transport = netfilter ? transport_kind::ring_buffer : c.transport;
    if (const auto excess = host::ring_excess(transport, c.buffer_pages, f.machine);
        !excess.empty()) {
        return {"memory", verdict::bad, excess, lower_pages};
    }
    if (!f.available_memory) {
        return {"memory", verdict::warning, "cannot be told: /proc/meminfo is not readable",
                "mount -t proc proc /proc"};
    }
    const auto needs = memory_needs(f, c);
    std::uint64_t whole = 0;
    for (const auto& each : needs) {
        whole += each.bytes;
    }
    const auto of_available =
        ", of " + host::mebibytes(*f.available_memory) + " that the machine has left";
    if (whole <= *f.available_memory / 2) {
        return {"memory",
                verdict::good,
                "about " + host::mebibytes(whole) + " needed" + of_available,
                {}};
    }
    const auto& largest = *std::ranges::max_element(needs, {}, &memory_need::bytes);
    return {"memory", whole > *f.available_memory ? verdict::bad : verdict::warning,
            largest.text + of_available, largest.remedy};
}

} // namespace ctflow::checks
