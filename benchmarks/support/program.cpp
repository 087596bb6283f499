// SPDX-License-Identifier: Apache-2.0
#include "support/program.hpp"

#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace ctflow::bench {

void write_json(const std::string& path, std::string_view json) {
    if (path.empty()) {
        return;
    }
    std::ofstream file(path);
    file << json << std::flush;
    if (!file) {
        throw std::runtime_error("cannot write " + path);
    }
}

bool report(const std::vector<std::string>& faults) {
    for (const auto& fault : faults) {
        std::cerr << "FAILED: " << fault << '\n';
    }
    return faults.empty();
}

int run_program(std::string_view name, const std::function<bool()>& body) {
    try {
        return body() ? 0 : 1;
    } catch (const std::exception& e) {
        std::cerr << name << ": " << e.what() << '\n';
        return 1;
    }
}

} // namespace ctflow::bench
