// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "curve.h"

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>

#include <cstdint>
#include <span>

struct bpf_map;

namespace ctflow::bpf {

// What all objects have in common (bpf/maps.h).

// Sets the sizes of the flow table and of the table of cooldowns in front of it, before they are
// made. Returns what cooldown_bits must be.
unsigned size_tables(bpf_map* flows, bpf_map* cooldowns, std::uint32_t max_flows) noexcept;

// Sets the size of the states of the rings of so many maps (bpf/output.h), and of those maps if
// they are perf event arrays. Returns what possible_cpus must be.
unsigned size_states(bpf_map* states, unsigned maps, std::span<bpf_map* const> arrays = {});

ctflow_curve kernel_curve(const config& c) noexcept;

// Of a hash map.
void empty(const bpf_map* map);

// The memory of an array map of 64 bit words that can be mapped.
class mapped_words {
public:
    mapped_words(const bpf_map* map, error_code& ec) noexcept;
    ~mapped_words();
    mapped_words(const mapped_words&) = delete;
    mapped_words& operator=(const mapped_words&) = delete;

    std::span<std::uint64_t> words() const noexcept { return words_; }

private:
    std::span<std::uint64_t> words_;
};

// While others, programs and threads, may write them.
void clear_words(std::span<std::uint64_t> words) noexcept;

// CLOCK_REALTIME and CLOCK_BOOTTIME, in ns: of nf_conn_tstamp, and of records.
std::uint64_t real_time() noexcept;
std::uint64_t boot_time() noexcept;

// Of the kernel's tick, in ns.
std::uint64_t tick_length() noexcept;

} // namespace ctflow::bpf
