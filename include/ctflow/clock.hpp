// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>

#include <chrono>

namespace ctflow {

/// CLOCK_BOOTTIME: nanoseconds since boot, suspension included. The kernel stamps events with it
/// (bpf_ktime_get_boot_ns).
struct boot_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<boot_clock>;
    static constexpr bool is_steady = true;

    CTFLOW_DECL static time_point now() noexcept;

    /// The wall-clock time of a boot-clock time, by the difference of the two clocks at this
    /// moment: a step of the wall clock between the event and this call shows in the result.
    CTFLOW_DECL static std::chrono::sys_time<duration> to_sys(time_point t) noexcept;
};

} // namespace ctflow
