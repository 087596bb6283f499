// SPDX-License-Identifier: Apache-2.0
//
// How long an event is under way, from the BPF program to the code that waited for it.
#include "idle.hpp"
#include "options.hpp"
#include "report.hpp"
#include "subjects/round.hpp"
#include "support/command_line.hpp"
#include "support/program.hpp"

#include <iostream>
#include <vector>

namespace {

using namespace ctflow::bench;

// In turn, so that what disturbs the machine for a while disturbs all alike.
std::vector<row> measure(const options& o) {
    std::vector<row> rows;
    for (const auto rate : o.rates) {
        for (const auto* v : o.variants) {
            rows.push_back({.of = v, .rate = rate, .account = {}, .latencies = {}, .faults = {}});
        }
    }
    for (std::size_t n = 0; n < o.rounds; ++n) {
        std::cerr << "round " << n + 1 << " of " << o.rounds << '\n';
        for (auto& r : rows) {
            r.add(run_round(*r.of, {.rate = r.rate, .seconds = o.seconds}, true));
        }
    }
    for (auto& r : rows) {
        r.sort();
    }
    return rows;
}

bool compare(const options& o) {
    const auto rows = measure(o);
    std::vector<idle_result> idle;
    for (const auto* v : o.variants) {
        if (o.idle > 0) {
            idle.push_back(watch_idle(*v, o.idle));
        }
    }
    std::cout << as_markdown(o, rows, idle) << std::flush;
    write_json(o.json, as_json(o, rows, idle));
    bool good = true;
    for (const auto& r : rows) {
        good = report(r.faults) && good;
    }
    return good;
}

} // namespace

int main(int argc, char** argv) {
    const auto o = parse(argc, argv);
    need_root_and_two_cpus("ctflow_latency");
    return run_program("ctflow_latency", [&] { return compare(o); });
}
