// SPDX-License-Identifier: Apache-2.0
#include "bpf/tables.hpp"

#include "cooldown.h"
#include "host/cpus.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

namespace ctflow::bpf {
namespace {

unsigned long long nanoseconds(std::chrono::nanoseconds d) noexcept {
    return static_cast<unsigned long long>(d.count());
}

std::uint64_t nanoseconds(const timespec& t) noexcept {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(t.tv_nsec);
}

std::uint64_t read_clock(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return nanoseconds(now);
}

} // namespace

unsigned size_tables(bpf_map* flows, bpf_map* cooldowns, std::uint32_t max_flows) noexcept {
    // Two slots for each flow, so that few share one.
    const auto bits = std::max<std::uint32_t>(CTFLOW_COOLDOWN_MIN_BITS, std::bit_width(max_flows));
    bpf_map__set_max_entries(flows, max_flows);
    bpf_map__set_max_entries(cooldowns, 1U << bits);
    return bits;
}

unsigned size_states(bpf_map* states, unsigned maps, std::span<bpf_map* const> arrays) {
    const auto cpus = static_cast<unsigned>(host::end_of_cpus());
    for (bpf_map* array : arrays) {
        bpf_map__set_max_entries(array, 2 * cpus); // An eager and a lazy event for each.
    }
    bpf_map__set_max_entries(states, maps * cpus + 1);
    return cpus;
}

ctflow_curve kernel_curve(const config& c) noexcept {
    ctflow_curve curve{};
    const std::array points = {&c.curve0, &c.curve1, &c.curve2};
    for (std::size_t i = 0; i < points.size(); ++i) {
        curve.age[i] = nanoseconds(points[i]->age);
        curve.rate[i] = nanoseconds(points[i]->rate);
    }
    return curve;
}

void empty(const bpf_map* map) {
    constexpr std::size_t chunk = 256;
    std::vector<std::byte> keys(chunk * bpf_map__key_size(map));
    std::vector<std::byte> values(chunk * bpf_map__value_size(map));
    std::uint64_t position = 0;
    std::uint64_t* from = nullptr; // The beginning.
    for (;;) {
        std::uint32_t count = chunk;
        const int result = bpf_map_lookup_and_delete_batch(
            bpf_map__fd(map), from, &position, keys.data(), values.data(), &count, nullptr);
        if (result != 0 && errno != EINTR) {
            return; // ENOENT: that was the last batch.
        }
        from = &position;
    }
}

mapped_words::mapped_words(const bpf_map* map, error_code& ec) noexcept {
    const std::size_t count = bpf_map__max_entries(map);
    void* const base = ::mmap(nullptr, count * sizeof(std::uint64_t), PROT_READ | PROT_WRITE,
                              MAP_SHARED, bpf_map__fd(map), 0);
    if (base == MAP_FAILED) {
        ec.assign(errno, boost::system::system_category());
        return;
    }
    words_ = {static_cast<std::uint64_t*>(base), count};
}

mapped_words::~mapped_words() {
    if (!words_.empty()) {
        ::munmap(words_.data(), words_.size_bytes());
    }
}

void clear_words(std::span<std::uint64_t> words) noexcept {
    for (auto& word : words) {
        std::atomic_ref(word).store(0, std::memory_order_relaxed);
    }
}

std::uint64_t real_time() noexcept {
    return read_clock(CLOCK_REALTIME);
}

std::uint64_t boot_time() noexcept {
    return read_clock(CLOCK_BOOTTIME);
}

// It is what coarse clocks resolve (clock_getres(2)).
std::uint64_t tick_length() noexcept {
    timespec tick{};
    ::clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
    return nanoseconds(tick);
}

} // namespace ctflow::bpf
