// SPDX-License-Identifier: Apache-2.0
#include "support/process.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace ctflow::bench {
namespace {

std::uint64_t status_field(const std::filesystem::path& file, const std::string& name) {
    std::ifstream in(file);
    for (std::string word; in >> word;) {
        if (word == name) {
            std::uint64_t value = 0;
            in >> value;
            return value;
        }
    }
    return 0;
}

} // namespace

std::uint64_t resident_kb() {
    return status_field("/proc/self/status", "VmRSS:");
}

std::uint64_t open_descriptors() {
    using iterator = std::filesystem::directory_iterator;
    // Less that by which they are counted.
    return static_cast<std::uint64_t>(std::distance(iterator("/proc/self/fd"), iterator())) - 1;
}

std::uint64_t voluntary_switches() {
    std::uint64_t sum = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        sum += status_field(task.path() / "status", "voluntary_ctxt_switches:");
    }
    return sum;
}

} // namespace ctflow::bench
