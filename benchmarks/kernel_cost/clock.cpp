// SPDX-License-Identifier: Apache-2.0
#include "clock.hpp"

#include <ctime>

namespace ctflow::kernel_cost {
namespace {

#if defined(__x86_64__)

// How much clock each instruction of a loop takes, where a turn has two instructions, or twelve.
double clock_per_instruction(bool long_turns) noexcept {
    constexpr std::int64_t turns = 5'000'000;
    std::int64_t left = turns;
    const auto begin = now();
    if (long_turns) {
        asm volatile("1: nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; dec %0; jnz 1b"
                     : "+r"(left));
    } else {
        asm volatile("1: dec %0; jnz 1b" : "+r"(left));
    }
    return static_cast<double>(now() - begin) / static_cast<double>(turns * (long_turns ? 12 : 2));
}

// Interrupts add a little. A processor that runs both loops at one instruction a nanosecond
// does not exist: it takes the jumps and the nops at different speeds.
bool about_one(double value) noexcept {
    return value >= 0.999 && value < 1.02;
}

#endif

} // namespace

std::int64_t now() noexcept {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

bool counts_instructions() noexcept {
#if defined(__x86_64__)
    return about_one(clock_per_instruction(false)) && about_one(clock_per_instruction(true));
#else
    return false;
#endif
}

} // namespace ctflow::kernel_cost
