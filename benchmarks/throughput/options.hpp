// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "subjects/catalogue.hpp"
#include "support/producer.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace ctflow::bench {

struct options {
    std::vector<const variant*> variants;
    std::size_t rounds = 5;
    bench::load load;
    std::string json; // A file, if any.
    double soak = 0;  // Seconds, if not 0.
};

// Exits for --help and --list, and after words on stderr for what it does not understand.
options parse(int argc, char** argv);

} // namespace ctflow::bench
