// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include "support/format.hpp"
#include "support/machine.hpp"
#include "support/statistics.hpp"

#include <algorithm>
#include <optional>

namespace ctflow::bench {
namespace {

// In microseconds; none where that part of the events is less than one.
std::optional<double> latency(const row& r, double part) {
    const auto beyond = (1 - part) * static_cast<double>(r.latencies.size());
    if (r.latencies.empty() || (part < 1 && beyond < 1)) {
        return {};
    }
    return static_cast<double>(quantile(r.latencies, part)) / 1e3;
}

std::string cell(const row& r, double part) {
    const auto value = latency(r, part);
    return value ? fixed(*value, *value < 100 ? 1 : 0) + " µs" : "–";
}

std::string figures(const std::vector<row>& rows) {
    std::vector<std::vector<std::string>> cells{{"", "id", "events/s", "median", "p99", "p99.9",
                                                 "most", "produced", "delivered", "lost",
                                                 "balance"}};
    for (const auto& r : rows) {
        cells.push_back({std::string(r.of->title), std::string(r.of->id), grouped(r.rate),
                         cell(r, 0.5), cell(r, 0.99), cell(r, 0.999), cell(r, 1),
                         grouped(r.account.produced), grouped(r.account.delivered),
                         grouped(r.account.lost_in_ring + r.account.lost_after_ring),
                         r.faults.empty() ? "yes" : "**NO**"});
    }
    return table(cells);
}

std::string idle_figures(const std::vector<idle_result>& idle) {
    std::vector<std::vector<std::string>> cells{
        {"without events", "id", "seconds", "times asleep and woken"}};
    for (const auto& each : idle) {
        cells.push_back({std::string(each.of->title), std::string(each.of->id),
                         fixed(each.seconds, 1), grouped(each.switches)});
    }
    return table(cells);
}

json_object& add(json_object& to, std::string_view name, const row& r, double part) {
    const auto value = latency(r, part);
    return value ? to.add(name, *value) : to.add_json(name, "null");
}

} // namespace

void row::add(const round_result& r) {
    account += r.account;
    latencies.insert(latencies.end(), r.latencies.begin(), r.latencies.end());
    faults.insert(faults.end(), r.faults.begin(), r.faults.end());
}

void row::sort() {
    std::ranges::sort(latencies);
}

std::string as_markdown(const options& o, const std::vector<row>& rows,
                        const std::vector<idle_result>& idle) {
    auto text = "## Latency: " + std::to_string(o.rounds) + " × " + fixed(o.seconds, 1) + " s\n\n" +
                machine_as_markdown() + '\n' + figures(rows) +
                "\nOf all events of all rounds, from the time stamp that the BPF program puts on "
                "an event to\nthe code that waited for it. –: too few events to say.\n";
    if (!idle.empty()) {
        text += '\n' + idle_figures(idle) +
                "\nVoluntary context switches of the whole process, all threads.\n";
    }
    return text;
}

std::string as_json(const options& o, const std::vector<row>& rows,
                    const std::vector<idle_result>& idle) {
    std::vector<std::string> elements;
    for (const auto& r : rows) {
        json_object object;
        object.add("id", r.of->id).add("title", r.of->title).add("rate", r.rate);
        add(object, "median_us", r, 0.5);
        add(object, "p99_us", r, 0.99);
        add(object, "p999_us", r, 0.999);
        add(object, "max_us", r, 1);
        elements.push_back(object.add("produced", r.account.produced)
                               .add("delivered", r.account.delivered)
                               .add("lost_in_ring", r.account.lost_in_ring)
                               .add("lost_after_ring", r.account.lost_after_ring)
                               .add_json("balanced", r.faults.empty() ? "true" : "false")
                               .text());
    }
    std::vector<std::string> idle_elements;
    for (const auto& each : idle) {
        idle_elements.push_back(json_object()
                                    .add("id", each.of->id)
                                    .add("seconds", each.seconds)
                                    .add("voluntary_switches", each.switches)
                                    .text());
    }
    return json_object()
               .add_json("machine", machine_as_json())
               .add("seconds", o.seconds)
               .add("rounds", std::uint64_t{o.rounds})
               .add_json("latencies", json_array(elements))
               .add_json("idle", json_array(idle_elements))
               .text() +
           '\n';
}

} // namespace ctflow::bench
