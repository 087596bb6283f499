// SPDX-License-Identifier: Apache-2.0
//
// Events a second from the kernel's rings to a program, by ctflow and by what else there is.
#include "options.hpp"
#include "report.hpp"
#include "row.hpp"
#include "soak.hpp"
#include "support/command_line.hpp"

#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

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
    if (!o.json.empty()) {
        std::ofstream file(o.json);
        file << as_json(o, rows) << std::flush;
        if (!file) {
            throw std::runtime_error("cannot write " + o.json);
        }
    }
    bool good = true;
    for (const auto& r : rows) {
        for (const auto& fault : r.faults) {
            std::cerr << "FAILED: " << fault << '\n';
            good = false;
        }
    }
    return good;
}

} // namespace

int main(int argc, char** argv) {
    const auto o = parse(argc, argv);
    need_root_and_two_cpus("ctflow_throughput");
    try {
        return (o.soak != 0 ? soak(o) : compare(o)) ? 0 : 1;
    } catch (const std::exception& e) {
        std::cerr << "ctflow_throughput: " << e.what() << '\n';
        return 1;
    }
}
