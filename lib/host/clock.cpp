// SPDX-License-Identifier: Apache-2.0
#include <ctflow/clock.hpp>

#include <ctime>

namespace ctflow {
namespace {

std::chrono::nanoseconds read(clockid_t clock) noexcept {
    timespec ts{};
    ::clock_gettime(clock, &ts); // Fails for unknown clocks only.
    return std::chrono::seconds(ts.tv_sec) + std::chrono::nanoseconds(ts.tv_nsec);
}

} // namespace

boot_clock::time_point boot_clock::now() noexcept {
    return time_point(read(CLOCK_BOOTTIME));
}

std::chrono::sys_time<boot_clock::duration> boot_clock::to_sys(time_point t) noexcept {
    // The wall clock between two looks at the boot clock: the middle of the two is the boot time
    // of that look, but for half of what the looks took.
    const auto before = read(CLOCK_BOOTTIME);
    const auto wall = read(CLOCK_REALTIME);
    const auto after = read(CLOCK_BOOTTIME);
    return std::chrono::sys_time<duration>(wall - (before + (after - before) / 2) +
                                           t.time_since_epoch());
}

} // namespace ctflow
