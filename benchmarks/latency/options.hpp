// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "subjects/catalogue.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ctflow::bench {

struct options {
    std::vector<const variant*> variants;
    std::vector<std::uint64_t> rates{10, 1'000, 100'000};
    std::size_t rounds = 3;
    double seconds = 3;
    double idle = 10; // Seconds; none if 0.
    std::string json; // A file, if any.
};

// Exits for --help, and after words on stderr for what it does not understand.
options parse(int argc, char** argv);

} // namespace ctflow::bench
