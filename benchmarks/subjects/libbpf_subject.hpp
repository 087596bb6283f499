// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "subjects/subject.hpp"

#include <ctflow/config.hpp>

#include <memory>

namespace ctflow::bench {

// What is done in libbpf's callback.
enum class in_callback {
    count,
    hand_over, // To a thread that works on it.
};

// A thread in perf_buffer__poll() or ring_buffer__poll(), with libbpf's defaults.
std::unique_ptr<subject> make_libbpf(transport_kind kind, in_callback what);

// perf_buffer__poll(), woken by every 512th event, as who tunes it for throughput would have it.
std::unique_ptr<subject> make_libbpf_tuned();

} // namespace ctflow::bench
