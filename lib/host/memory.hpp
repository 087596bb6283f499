// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ctflow::host {

// Reads the bytes of MemAvailable out of /proc/meminfo.
std::optional<std::uint64_t> parse_available_memory(std::string_view meminfo) noexcept;
std::optional<std::uint64_t> available_memory();

// What is kept of flows.
struct kept_flows {
    std::uint32_t max_flows = 0;
    bool processes = false;  // Who began them, too (bpf/origin.h).
    bool unreported = false; // Those without an event in a table of their own (bpf/unreported.h).
};
kept_flows kept_flows_of(const config& c, bool netfilter) noexcept;

// What the kernel sets aside for these: 89 bytes for each flow as measured on Linux 6.1, and the
// words of bpf/cooldown.h, of which there are two for each; 105 for a process, 121 for one without
// an event.
std::uint64_t flow_table_bytes(const kept_flows& kept) noexcept;

struct machine {
    std::uint64_t cpus = 1; // Online.
    std::uint64_t page_size = 4096;
};
machine this_machine() noexcept;

// Of the one ring buffer of all CPUs, for which the kernel wants a power of two: room for so many
// pages of each. May be beyond the limit.
std::uint64_t shared_ring_size(std::size_t pages, const machine& m) noexcept;

// The largest power of two that fits into a map's max_entries.
constexpr std::uint64_t shared_ring_limit = std::uint64_t{1} << 31;

// What config::buffer_pages is if nobody says. `limited`: perf buffers are locked memory, and there
// is a limit to it. Without more, two of 64 pages come to what kernel.perf_event_mlock_kb has for
// each CPU.
constexpr std::size_t default_buffer_pages(bool limited) noexcept {
    return limited ? 64 : 256;
}

// What the kernel sets aside for the rings of updates and those of destroys.
std::uint64_t ring_bytes(transport_kind transport, std::size_t pages, const machine& m) noexcept;

// The same of the only ring that there is with attach_mode::netfilter: that of updates.
std::uint64_t netfilter_ring_bytes(std::size_t pages, const machine& m) noexcept;

// The same of the reserve (config::reserve_pages).
std::uint64_t reserve_bytes(std::size_t pages, const machine& m) noexcept;

// "8 MiB", rounded up.
std::string mebibytes(std::uint64_t bytes);

// "a table of 65536 flows needs about 7 MiB of kernel memory".
std::string flow_table_need(const kept_flows& kept);

// "perf buffers of 64 pages need 2 MiB of kernel memory: two for each of 2 CPUs".
std::string ring_need(transport_kind transport, std::size_t pages, const machine& m);

// "a ring buffer of 64 pages for each of 2 CPUs needs 1 MiB of kernel memory".
std::string netfilter_ring_need(std::size_t pages, const machine& m);

// "a reserve of 1024 pages needs 5 MiB of kernel memory".
std::string reserve_need(std::size_t pages, const machine& m);

// "a ring buffer with 65536 pages for each of 16 CPUs comes to 4096 MiB, and 2048 MiB is the
// kernel's limit"; empty if it is within.
std::string ring_excess(transport_kind transport, std::size_t pages, const machine& m);

} // namespace ctflow::host
