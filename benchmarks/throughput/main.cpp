// SPDX-License-Identifier: Apache-2.0
//
// Events a second from the kernel's rings to a program, by ctflow and by what else there is.
#include "options.hpp"
#include "report.hpp"
#include "row.hpp"
#include "soak.hpp"
#include "support/command_line.hpp"
#include "support/program.hpp"

#include <iostream>
#include <vector>

namespace {

using namespace ctflow::bench;

// In turn, so that what disturbs the machine for a while disturbs all alike.
std::vector<row> measure(const options& o) {
    std::vector<std::vector<round_result>> rounds(o.variants.size());
    for (std::size_t n = 0; n < o.rounds; ++n) {
        std::cerr << "round " << n + 1 << " of " << o.rounds << '\n';
        for (std::size_t i = 0; i < o.variants.size(); ++i) {
            rounds[i].push_back(run_round(*o.variants[i], o.load));
        }
    }
    std::vector<row> rows;
    for (std::size_t i = 0; i < o.variants.size(); ++i) {
        rows.push_back(summarize(*o.variants[i], rounds[i]));
    }
    return rows;
}

bool compare(const options& o) {
    const auto rows = measure(o);
    std::cout << as_markdown(o, rows) << std::flush;
    write_json(o.json, as_json(o, rows));
    bool good = true;
    for (const auto& r : rows) {
        good = report(r.faults) && good;
    }
    return good;
}

} // namespace

int main(int argc, char** argv) {
    const auto o = parse(argc, argv);
    need_root_and_two_cpus("ctflow_throughput");
    return run_program("ctflow_throughput", [&] { return o.soak != 0 ? soak(o) : compare(o); });
}
