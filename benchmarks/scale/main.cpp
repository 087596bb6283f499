// SPDX-License-Identifier: Apache-2.0
//
// What more CPUs, and more consumers, cost in user space: on simulated rings, without a kernel.
#include "fan.hpp"
#include "rings.hpp"
#include "support/command_line.hpp"
#include "support/format.hpp"
#include "support/machine.hpp"
#include "support/program.hpp"

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include <sys/resource.h>

namespace {

using namespace ctflow::bench;

constexpr std::string_view usage =
    R"(usage: ctflow_scale [--rings LIST] [--consumers LIST] [--seconds S] [--json FILE]

What it costs to read the rings of so many CPUs, which are simulated by memory
and eventfds, and to hand events to so many consumers. Needs no root. Prints
Markdown.

  --rings LIST      (1,2,8,32,128,256,1000)
  --consumers LIST  (1,2,4,8,16,32,64)
  --seconds S       for each figure, fractions allowed (0.5)
  --json FILE       write the figures there, too
  --help
)";

struct options {
    std::vector<double> rings{1, 2, 8, 32, 128, 256, 1'000};
    std::vector<double> consumers{1, 2, 4, 8, 16, 32, 64};
    double seconds = 0.5;
    std::string json;
};

options parse(int argc, char** argv) {
    options o;
    command_line line(argc, argv, usage);
    for (auto option = line.next(); !option.empty(); option = line.next()) {
        if (option == "--rings") {
            o.rings = line.numbers(1, 10'000);
        } else if (option == "--consumers") {
            o.consumers = line.numbers(1, 10'000);
        } else if (option == "--seconds") {
            o.seconds = line.number(0.001, 60);
        } else if (option == "--json") {
            o.json = line.value();
        } else {
            line.unknown();
        }
    }
    return o;
}

// A ring has a descriptor.
void allow_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

using cells = std::vector<std::vector<std::string>>;

bool run(const options& o) {
    std::vector<std::string> rings_json;
    cells rings{{"rings", "a wake-up for one event", "an event, all rings full"}};
    for (const double each : o.rings) {
        const auto n = static_cast<std::size_t>(each);
        const auto cost = measure_rings(n, o.seconds);
        rings.push_back(
            {grouped(n), fixed(cost.wakeup, 0) + " ns", fixed(cost.per_event, 1) + " ns"});
        rings_json.push_back(json_object()
                                 .add("rings", std::uint64_t{n})
                                 .add("wakeup_ns", cost.wakeup)
                                 .add("event_ns", cost.per_event)
                                 .text());
    }
    std::vector<std::string> consumers_json;
    cells fan{{"consumers", "an event, to all", "to each"}};
    for (const double each : o.consumers) {
        const auto n = static_cast<std::size_t>(each);
        const auto ns = measure_fanout(n, o.seconds);
        fan.push_back({grouped(n), fixed(ns, 1) + " ns", fixed(ns / each, 1) + " ns"});
        consumers_json.push_back(
            json_object().add("consumers", std::uint64_t{n}).add("event_ns", ns).text());
    }
    std::cout << "## Scale: many CPUs, many consumers\n\n"
              << machine_as_markdown() << '\n'
              << table(rings)
              << "\nOne reader, in one thread, on simulated perf rings of 16 KiB, without "
                 "consumers. Of a wake-up,\nwhat the simulation itself takes (write and read of an "
                 "eventfd) is not counted.\n\n"
              << table(fan)
              << "\nBatches of 256 events, each consumer a coroutine in the same thread.\n"
              << std::flush;
    write_json(o.json, json_object()
                               .add_json("machine", machine_as_json())
                               .add_json("rings", json_array(rings_json))
                               .add_json("consumers", json_array(consumers_json))
                               .text() +
                           '\n');
    return true;
}

} // namespace

int main(int argc, char** argv) {
    const auto o = parse(argc, argv);
    allow_descriptors();
    return run_program("ctflow_scale", [&] { return run(o); });
}
