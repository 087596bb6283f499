// SPDX-License-Identifier: Apache-2.0
#include "support/cpu.hpp"

#include <ctime>

#include <sched.h>

namespace ctflow::bench {
namespace {

std::int64_t read(clockid_t clock) noexcept {
    timespec t{};
    ::clock_gettime(clock, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

} // namespace

bool has_both_cpus() noexcept {
    cpu_set_t set;
    CPU_ZERO(&set);
    return ::sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_ISSET(producer_cpu, &set) &&
           CPU_ISSET(consumer_cpu, &set);
}

std::int64_t steady_ns() noexcept {
    return read(CLOCK_MONOTONIC);
}

std::int64_t boot_ns() noexcept {
    return read(CLOCK_BOOTTIME);
}

std::int64_t thread_cpu_ns() noexcept {
    return read(CLOCK_THREAD_CPUTIME_ID);
}

} // namespace ctflow::bench
