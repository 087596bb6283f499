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
namespace {

// Of a ring buffer beside its records: one for each position and one for the kernel itself
// (bpf_ringbuf_area_alloc() in kernel/bpf/ringbuf.c).
constexpr std::uint64_t ring_buffer_pages = 3;

std::string cpus(const machine& m) {
    return std::to_string(m.cpus) + (m.cpus == 1 ? " CPU" : " CPUs");
}

} // namespace

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

kept_flows kept_flows_of(const config& c, bool netfilter) noexcept {
    return {.max_flows = c.max_flows,
            .processes = c.processes && !netfilter,
            .unreported = netfilter && (c.filter || c.curve0.age > decltype(c.curve0.age)::zero())};
}

std::uint64_t flow_table_bytes(const kept_flows& kept) noexcept {
    const auto bits =
        std::max<std::uint32_t>(CTFLOW_COOLDOWN_MIN_BITS, std::bit_width(kept.max_flows));
    const std::uint64_t each = 89 + (kept.processes ? 105 : 0) + (kept.unreported ? 121 : 0);
    return kept.max_flows * each + (sizeof(std::uint64_t) << bits);
}

machine this_machine() noexcept {
    return {static_cast<std::uint64_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L)),
            static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

std::uint64_t shared_ring_size(std::size_t pages, const machine& m) noexcept {
    return std::bit_ceil(std::uint64_t{pages} * m.cpus) * m.page_size;
}

std::uint64_t ring_bytes(transport_kind transport, std::size_t pages, const machine& m) noexcept {
    if (transport == transport_kind::ring_buffer) {
        return netfilter_ring_bytes(pages, m) * 2;
    }
    // For each CPU, and a page for head and tail.
    return (std::uint64_t{pages} + 1) * m.page_size * m.cpus * 2;
}

std::uint64_t netfilter_ring_bytes(std::size_t pages, const machine& m) noexcept {
    return shared_ring_size(pages, m) + ring_buffer_pages * m.page_size;
}

std::uint64_t reserve_bytes(std::size_t pages, const machine& m) noexcept {
    return (std::uint64_t{pages} + ring_buffer_pages) * m.page_size;
}

std::string mebibytes(std::uint64_t bytes) {
    constexpr auto unit = std::uint64_t{1} << 20;
    return std::to_string((bytes + unit - 1) / unit) + " MiB";
}

std::string flow_table_need(const kept_flows& kept) {
    return "a table of " + std::to_string(kept.max_flows) + " flows needs about " +
           mebibytes(flow_table_bytes(kept)) + " of kernel memory";
}

std::string ring_need(transport_kind transport, std::size_t pages, const machine& m) {
    const bool shared = transport == transport_kind::ring_buffer;
    return (shared ? "ring buffers of " : "perf buffers of ") + std::to_string(pages) +
           (shared ? " pages for each CPU" : " pages") + " need " +
           mebibytes(ring_bytes(transport, pages, m)) + " of kernel memory: two for " +
           (shared ? "all" : "each") + " of " + cpus(m);
}

std::string netfilter_ring_need(std::size_t pages, const machine& m) {
    return "a ring buffer of " + std::to_string(pages) + " pages for each of " + cpus(m) +
           " needs " + mebibytes(netfilter_ring_bytes(pages, m)) + " of kernel memory";
}

std::string reserve_need(std::size_t pages, const machine& m) {
    return "a reserve of " + std::to_string(pages) + " pages needs " +
           mebibytes(reserve_bytes(pages, m)) + " of kernel memory";
}

std::string ring_excess(transport_kind transport, std::size_t pages, const machine& m) {
    const auto size = shared_ring_size(pages, m);
    if (transport != transport_kind::ring_buffer || size <= shared_ring_limit) {
        return {};
    }
    return "a ring buffer with " + std::to_string(pages) + " pages for each of " + cpus(m) +
           " comes to " + mebibytes(size) + ", and " + mebibytes(shared_ring_limit) +
           " is the kernel's limit";
}

} // namespace ctflow::host
