// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/cpu.hpp"
#include "support/cpus.hpp"
#include "support/emitter.hpp"

#include <cstdint>
#include <exception>
#include <thread>
#include <utility>

namespace ctflow::bench {

// A thread on a CPU of its own choice, which knows what it has used.
class worker {
public:
    template <class Work>
    worker(unsigned cpu, Work work)
        : thread_([this, cpu, work = std::move(work)]() mutable {
              try {
                  test::stay_on_cpu(cpu);
                  const auto begin = thread_cpu_ns();
                  work();
                  cpu_ns_ = thread_cpu_ns() - begin;
              } catch (...) {
                  failure_ = std::current_exception();
              }
          }) {}

    ~worker() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    // Throws what the work has thrown. Returns the CPU time that it took.
    std::int64_t join() {
        thread_.join();
        if (failure_) {
            std::rethrow_exception(failure_);
        }
        return cpu_ns_;
    }

private:
    std::int64_t cpu_ns_ = 0;
    std::exception_ptr failure_;
    std::thread thread_; // Last: it uses the others.
};

} // namespace ctflow::bench
