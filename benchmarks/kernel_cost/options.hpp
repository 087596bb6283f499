// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace ctflow::kernel_cost {

struct options {
    std::vector<std::size_t> flows{1, 100, 10'000, 100'000};
    std::size_t packets = 5'000; // in each round
    std::size_t rounds = 3;
    std::vector<std::string> filters; // each of which lets the packets through
    bool trailer = false;
    std::optional<double> check_ratio;
};

// Exits for --help, and after words on stderr for what it does not understand.
options parse(int argc, char** argv);

} // namespace ctflow::kernel_cost
