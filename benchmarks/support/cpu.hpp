// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ctflow::bench {

// Who sends and who receives have a CPU each, so that neither takes the other's time.
inline constexpr unsigned producer_cpu = 0;
inline constexpr unsigned consumer_cpu = 1;

// Whether this process may use both.
bool has_both_cpus() noexcept;

// Nanoseconds.
std::int64_t steady_ns() noexcept;
std::int64_t boot_ns() noexcept;       // The clock of the records' timestamps.
std::int64_t thread_cpu_ns() noexcept; // What the calling thread has used, in the kernel too.

} // namespace ctflow::bench
