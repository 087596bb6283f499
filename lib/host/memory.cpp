// SPDX-License-Identifier: Apache-2.0
#include "host/memory.hpp"

#include "cooldown.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace ctflow::host {

std::optional<std::uint64_t> parse_available_memory(std::string_view meminfo) noexcept {
    constexpr std::string_view key = "MemAvailable:";
    const auto at = meminfo.find(key);
    const auto digits = at == meminfo.npos ? at : meminfo.find_first_not_of(' ', at + key.size());
    if (digits == meminfo.npos) {
        return std::nullopt;
    }
    std::uint64_t kibibytes = 0;
    const auto [end, ec] =
        std::from_chars(meminfo.data() + digits, meminfo.data() + meminfo.size(), kibibytes);
    return ec == std::errc() ? std::optional(kibibytes * 1024) : std::nullopt;
}

std::optional<std::uint64_t> available_memory() {
    std::ifstream file("/proc/meminfo");
    return parse_available_memory(std::string{std::istreambuf_iterator<char>(file), {}});
}

std::uint64_t flow_table_bytes(std::uint32_t max_flows) noexcept {
    const auto bits = std::max<std::uint32_t>(CTFLOW_COOLDOWN_MIN_BITS, std::bit_width(max_flows));
    return std::uint64_t{max_flows} * 89 + (sizeof(std::uint64_t) << bits);
}

machine this_machine() noexcept {
    return {static_cast<std::uint64_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L)),
            static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

std::uint64_t ring_bytes(std::size_t pages, const machine& m) noexcept {
    return (std::uint64_t{pages} + 1) * m.page_size * m.cpus * 2;
}

std::string mebibytes(std::uint64_t bytes) {
    constexpr auto unit = std::uint64_t{1} << 20;
    return std::to_string((bytes + unit - 1) / unit) + " MiB";
}

std::string flow_table_need(std::uint32_t max_flows) {
    return "a table of " + std::to_string(max_flows) + " flows needs about " +
           mebibytes(flow_table_bytes(max_flows)) + " of kernel memory";
}

std::string ring_need(std::size_t pages, const machine& m) {
    return "ring buffers of " + std::to_string(pages) + " pages need " +
           mebibytes(ring_bytes(pages, m)) + " of kernel memory: two for each of " +
           std::to_string(m.cpus) + (m.cpus == 1 ? " CPU" : " CPUs");
}

} // namespace ctflow::host
