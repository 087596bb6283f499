// SPDX-License-Identifier: Apache-2.0
#include "idle.hpp"

#include "subjects/round.hpp"
#include "support/process.hpp"

#include <chrono>
#include <thread>

namespace ctflow::bench {

idle_result watch_idle(const variant& v, double seconds) {
    const auto s = v.make();
    s->start();
    // Some events, for what they may leave behind, such as a timer; and time to come to rest.
    warm_up(*s);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));

    const auto before = voluntary_switches();
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    const auto after = voluntary_switches();
    s->finish();
    // The sleep of the thread that counts is none of the subject's.
    const auto own = std::uint64_t{1};
    return {&v, seconds, after - before > own ? after - before - own : 0};
}

} // namespace ctflow::bench
