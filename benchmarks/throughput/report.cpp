// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include "support/format.hpp"
#include "support/machine.hpp"

#include <algorithm>

namespace ctflow::bench {
namespace {

const row* reference_of(const std::vector<row>& rows) {
    const auto at =
        std::ranges::find_if(rows, [](const row& each) { return each.of->id == reference; });
    return at == rows.end() ? nullptr : &*at;
}

std::string ratio(const row& r, const row* to, spread row::*which) {
    return to == nullptr ? "–" : fixed((r.*which).median / (to->*which).median, 2) + " ×";
}

std::string title(const options& o) {
    const auto seconds = fixed(o.load.seconds, o.load.seconds < 1 ? 2 : 0);
    const auto how = o.load.rate == 0 ? std::string("as many events as go")
                                      : grouped(o.load.rate) + " events a second";
    return "## Throughput: " + how + ", " + std::to_string(o.rounds) + " × " + seconds + " s\n\n";
}

std::string figures(const std::vector<row>& rows) {
    const row* to = reference_of(rows);
    std::vector<std::vector<std::string>> cells{
        {"", "id", "events/s", "least–most", "sent/s", "lost in ring", "lost after",
         "CPU receiving", "CPU sending", "per sent", "events/s, ratio", "CPU receiving, ratio"}};
    for (const auto& r : rows) {
        cells.push_back(
            {std::string(r.of->title), std::string(r.of->id), rate(r.delivered_per_second.median),
             rate(r.delivered_per_second.least) + "–" + rate(r.delivered_per_second.most),
             rate(r.sent_per_second.median), percent(r.account.lost_in_ring, r.account.produced),
             percent(r.account.lost_after_ring, r.account.produced),
             fixed(r.consumer_ns.median, 0) + " ns", fixed(r.producer_ns.median, 0) + " ns",
             fixed(r.producer_ns_sent.median, 0) + " ns", ratio(r, to, &row::delivered_per_second),
             ratio(r, to, &row::consumer_ns)});
    }
    return table(cells);
}

std::string all_books(const std::vector<row>& rows) {
    std::vector<std::vector<std::string>> cells{
        {"books", "produced", "delivered", "lost in ring", "lost after", "balance"}};
    for (const auto& r : rows) {
        cells.push_back({std::string(r.of->id), grouped(r.account.produced),
                         grouped(r.account.delivered), grouped(r.account.lost_in_ring),
                         grouped(r.account.lost_after_ring), r.faults.empty() ? "yes" : "**NO**"});
    }
    return table(cells);
}

constexpr std::string_view legend = R"(
Medians of the rounds, which went through all variants in turn. *CPU receiving*: of all receiving
threads, an event delivered; *CPU sending*: of the thread that runs the BPF program, wake-ups
included, an event delivered, and (*per sent*) an event sent, lost ones included. *Ratio*: to
`libbpf-perf`. Where there are several consumers, each gets every event; counted is the one
that got least. Buffers and queues have ctflow's default sizes everywhere.

Wake-ups cost most, and a reader is woken by a ring buffer only when it had caught up: one that has
more to do with each event can get more of them.

)";

} // namespace

std::string as_markdown(const options& o, const std::vector<row>& rows) {
    return title(o) + machine_as_markdown() + '\n' + figures(rows) + std::string(legend) +
           all_books(rows);
}

std::string as_json(const options& o, const std::vector<row>& rows) {
    std::vector<std::string> elements;
    for (const auto& r : rows) {
        elements.push_back(json_object()
                               .add("id", r.of->id)
                               .add("title", r.of->title)
                               .add("events_per_second", r.delivered_per_second)
                               .add("sent_per_second", r.sent_per_second)
                               .add("consumer_ns_per_event", r.consumer_ns)
                               .add("producer_ns_per_event", r.producer_ns)
                               .add("producer_ns_per_sent", r.producer_ns_sent)
                               .add("produced", r.account.produced)
                               .add("delivered", r.account.delivered)
                               .add("lost_in_ring", r.account.lost_in_ring)
                               .add("lost_after_ring", r.account.lost_after_ring)
                               .add_json("balanced", r.faults.empty() ? "true" : "false")
                               .text());
    }
    return json_object()
               .add_json("machine", machine_as_json())
               .add("rate", o.load.rate)
               .add("seconds", o.load.seconds)
               .add("rounds", std::uint64_t{o.rounds})
               .add_json("variants", json_array(elements))
               .text() +
           '\n';
}

} // namespace ctflow::bench
