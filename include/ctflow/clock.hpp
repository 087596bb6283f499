// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>

#include <chrono>

namespace ctflow {

/// CLOCK_BOOTTIME: nanoseconds since boot, suspension included. The kernel stamps events with it
/// (bpf_ktime_get_boot_ns). A clock like those of std::chrono.
///
/// @par Thread-safety
/// Both functions may be called from any thread.
struct boot_clock {
    using duration = std::chrono::nanoseconds;              ///< Nanoseconds.
    using rep = duration::rep;                              ///< Of duration.
    using period = duration::period;                        ///< Of duration.
    using time_point = std::chrono::time_point<boot_clock>; ///< Since boot.
    static constexpr bool is_steady = true;                 ///< It never goes back.

    /// What time it is, by clock_gettime(2).
    CTFLOW_DECL static time_point now() noexcept;

    /// The wall-clock time of a boot-clock time, by the difference of the two clocks at this
    /// moment: a step of the wall clock between the event and this call shows in the result.
    CTFLOW_DECL static std::chrono::sys_time<duration> to_sys(time_point t) noexcept;
};

} // namespace ctflow
