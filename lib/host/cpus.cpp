// SPDX-License-Identifier: Apache-2.0
#include "host/cpus.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

#include <bpf/libbpf.h>

namespace ctflow::host {

std::optional<std::size_t> end_of_cpu_list(std::string_view list) noexcept {
    constexpr std::size_t most = 1U << 20; // Far beyond CONFIG_NR_CPUS.
    std::size_t end = 0;
    const char* at = list.data();
    const char* const stop = at + list.size();
    for (;;) {
        std::size_t cpu = 0;
        const auto [next, ec] = std::from_chars(at, stop, cpu);
        if (ec != std::errc() || cpu >= most) {
            return std::nullopt;
        }
        end = std::max(end, cpu + 1);
        if (next == stop || *next == '\n') {
            return end;
        }
        if (*next != ',' && *next != '-') {
            return std::nullopt;
        }
        at = next + 1;
    }
}

std::size_t end_of_cpus() {
    std::ifstream file("/sys/devices/system/cpu/possible");
    std::string list;
    std::getline(file, list);
    // Without /sys there are still the numbers that libbpf has from elsewhere, or 1.
    return end_of_cpu_list(list).value_or(
        static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1)));
}

} // namespace ctflow::host
