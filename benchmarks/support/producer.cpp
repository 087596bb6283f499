// SPDX-License-Identifier: Apache-2.0
#include "support/producer.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace ctflow::bench {
namespace {

// Records sent by one run of the program, at most.
constexpr std::uint32_t batch = 64;

// Sleeps while there is time to, and then spins: a sleep ends some 50 µs late.
void wait_until(std::int64_t deadline) {
    constexpr std::int64_t slack = 150'000;
    if (deadline - steady_ns() > slack) {
        const auto wake = deadline - slack;
        const timespec t{wake / 1'000'000'000, wake % 1'000'000'000};
        while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
        }
    }
    while (steady_ns() < deadline) {
    }
}

} // namespace

producer::producer(test::emitter& source, const load& l, std::function<void()> at_end)
    : source_(source), load_(l), thread_(producer_cpu, [this, at_end = std::move(at_end)] {
          const auto begin = steady_ns();
          const auto end = begin + static_cast<std::int64_t>(load_.seconds * 1e9);
          if (load_.rate == 0) {
              saturate(end);
          } else {
              pace(begin, end);
          }
          result_.wall_ns = steady_ns() - begin;
          if (at_end) {
              at_end();
          }
      }) {}

production producer::join() {
    thread_.join();
    result_.attempted = attempted();
    result_.refused = refused();
    return result_;
}

void producer::emit(std::uint32_t n) {
    attempted_.store(attempted() + n, std::memory_order_relaxed); // Nobody else writes them.
    const auto taken = source_.emit(n);
    refused_.store(refused() + (n - taken), std::memory_order_relaxed);
}

void producer::saturate(std::int64_t end) {
    const auto used = thread_cpu_ns();
    while (steady_ns() < end) {
        emit(batch);
    }
    result_.cpu_ns = thread_cpu_ns() - used;
}

void producer::pace(std::int64_t begin, std::int64_t end) {
    // Ten thousand batches a second, or single events if there are fewer.
    const auto size = std::clamp<std::uint64_t>(load_.rate / 10'000, 1, batch);
    for (std::uint64_t sent = 0;; sent += size) {
        // In this order it is exact for days, where a sum of intervals would drift.
        const auto since = static_cast<double>(sent) * 1e9 / static_cast<double>(load_.rate);
        const auto deadline = begin + static_cast<std::int64_t>(since);
        if (deadline >= end) {
            wait_until(end);
            return;
        }
        wait_until(deadline);
        if (steady_ns() >= end) {
            return; // More than can be sent: what is left of it is not sent after the time.
        }
        const auto used = thread_cpu_ns();
        emit(static_cast<std::uint32_t>(size));
        result_.cpu_ns += thread_cpu_ns() - used;
    }
}

} // namespace ctflow::bench
