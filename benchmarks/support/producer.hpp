// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/emitter.hpp"
#include "support/worker.hpp"

#include <atomic>
#include <cstdint>
#include <functional>

namespace ctflow::bench {

// What is sent: as much as goes, or so many events a second.
struct load {
    std::uint64_t rate = 0; // 0: as much as goes
    double seconds = 1;
};

// What has been sent.
struct production {
    std::uint64_t attempted = 0;
    std::uint64_t refused = 0; // The ring was full.
    std::int64_t wall_ns = 0;
    std::int64_t cpu_ns =
        0; // Of sending alone: that of waiting for the next deadline is not in it.
};

// Sends from a thread on the producer's CPU.
//
// With a rate, each batch has its deadline, counted from the begin: one that is late does not put
// off those that follow, so that the mean is met as long as it can be.
class producer {
public:
    // at_end is called by the thread at the very end of the time.
    producer(test::emitter& source, const load& l, std::function<void()> at_end = {});

    production join();

    // While it goes on.
    std::uint64_t attempted() const noexcept { return attempted_.load(std::memory_order_relaxed); }
    std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

private:
    void saturate(std::int64_t end);
    void pace(std::int64_t begin, std::int64_t end);
    void emit(std::uint32_t n);

    test::emitter& source_;
    const load load_;
    std::atomic<std::uint64_t> attempted_{0};
    std::atomic<std::uint64_t> refused_{0};
    production result_;
    worker thread_;
};

} // namespace ctflow::bench
