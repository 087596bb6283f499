// SPDX-License-Identifier: Apache-2.0
#include "event/keyed_hash.hpp"

#include <random>

namespace ctflow {

std::uint64_t random_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

} // namespace ctflow
