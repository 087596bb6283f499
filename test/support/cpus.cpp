// SPDX-License-Identifier: Apache-2.0
#include "support/cpus.hpp"

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

#include <sched.h>

namespace ctflow::test {

void stay_on_cpu(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
        throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
    }
}

void set_online(std::size_t cpu, bool online) {
    const auto path = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online";
    std::ofstream file(path);
    file << (online ? 1 : 0) << std::flush;
    if (!file.good()) {
        throw std::system_error(errno, std::generic_category(), path);
    }
}

} // namespace ctflow::test
