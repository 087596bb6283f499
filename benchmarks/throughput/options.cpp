// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include "support/command_line.hpp"

#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <string_view>

namespace ctflow::bench {
namespace {

constexpr std::string_view usage =
    R"(usage: ctflow_throughput [--variants LIST] [--rounds N] [--seconds S] [--rate N]
                         [--json FILE]
       ctflow_throughput --soak SECONDS --rate N [--variants ID]

How many events get from a ring of the kernel to a program, and at what cost:
by ctflow, by libbpf's own poll functions with a queue to a thread, and by
Asio's channel. A BPF program that this program runs again and again fills real
perf buffers and ring buffers from CPU 0; all that receives runs on CPU 1.
Wants root, but no right to trace. Prints Markdown. Its exit status is 1 if
any event is neither delivered nor counted as lost.

  --variants LIST  by their ids, separated by commas (all)
  --rounds N       each of all variants in turn (5); medians count
  --seconds S      of each variant in each round, fractions allowed (1)
  --rate N         events a second (as many as go)
  --json FILE      write the figures there, too
  --soak SECONDS   one variant (ctflow-perf) for so long, and a line every ten
                   seconds
  --list           the variants
  --help
)";

void list_variants() {
    for (const auto& v : catalogue()) {
        std::cout << std::left << std::setw(20) << v.id << v.title << '\n';
    }
}

} // namespace

options parse(int argc, char** argv) {
    options o;
    command_line line(argc, argv, usage);
    for (auto option = line.next(); !option.empty(); option = line.next()) {
        if (option == "--list") {
            list_variants();
            std::exit(0);
        } else if (option == "--variants") {
            o.variants = variants_named(line);
        } else if (option == "--rounds") {
            o.rounds = static_cast<std::size_t>(line.number(1, 1'000));
        } else if (option == "--seconds") {
            o.load.seconds = line.number(0.001, 86'400);
        } else if (option == "--rate") {
            o.load.rate = static_cast<std::uint64_t>(line.number(1, 1e9));
        } else if (option == "--json") {
            o.json = line.value();
        } else if (option == "--soak") {
            o.soak = line.number(0.001, 1e7);
        } else {
            line.unknown();
        }
    }
    if (o.soak != 0 && (o.load.rate == 0 || o.variants.size() > 1)) {
        line.misuse("--soak goes with --rate and with one variant");
    }
    if (o.soak != 0 && o.variants.empty()) {
        o.variants = {find_variant("ctflow-perf")};
    }
    if (o.variants.empty()) {
        for (const auto& v : catalogue()) {
            o.variants.push_back(&v);
        }
    }
    return o;
}

} // namespace ctflow::bench
