// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include "support/command_line.hpp"

#include <string>
#include <string_view>

namespace ctflow::bench {
namespace {

constexpr std::string_view usage =
    R"(usage: ctflow_latency [--variants LIST] [--rates LIST] [--rounds N] [--seconds S]
                      [--idle S] [--json FILE]

How long an event is under way, from the time stamp that the BPF program puts
on it to the resumed coroutine, or the thread that waits on a queue behind
libbpf's poll function. CPU 0 sends, all that receives runs on CPU 1. Wants
root, but no right to trace. Prints Markdown. Its exit status is 1 if any event
is neither delivered nor counted as lost.

  --variants LIST  those of ctflow_throughput --list that deliver
                   (ctflow-perf,libbpf-perf)
  --rates LIST     events a second (10,1000,100000)
  --rounds N       each of all rates and variants in turn (3)
  --seconds S      of each in each round, fractions allowed (3)
  --idle S         and then for so long without events, to see how often the
                   process wakes up; 0: not (10)
  --json FILE      write the figures there, too
  --help
)";

} // namespace

options parse(int argc, char** argv) {
    options o;
    command_line line(argc, argv, usage);
    for (auto option = line.next(); !option.empty(); option = line.next()) {
        if (option == "--variants") {
            o.variants = variants_named(line);
            for (const auto* v : o.variants) {
                if (!v->delivers) {
                    line.misuse(std::string(v->id) + " does not deliver");
                }
            }
        } else if (option == "--rates") {
            o.rates.clear();
            for (const double each : line.numbers(1, 1e7)) {
                o.rates.push_back(static_cast<std::uint64_t>(each));
            }
        } else if (option == "--rounds") {
            o.rounds = static_cast<std::size_t>(line.number(1, 1'000));
        } else if (option == "--seconds") {
            o.seconds = line.number(0.001, 3'600);
        } else if (option == "--idle") {
            o.idle = line.number(0, 86'400);
        } else if (option == "--json") {
            o.json = line.value();
        } else {
            line.unknown();
        }
    }
    if (o.variants.empty()) {
        o.variants = {find_variant("ctflow-perf"), find_variant(reference)};
    }
    return o;
}

} // namespace ctflow::bench
