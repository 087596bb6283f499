// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/emitter.hpp"
#include "support/receiver.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace ctflow::bench {

// A way on which events get from a ring of the kernel to a program's code: a new ring, new threads,
// all of them on the consumers' CPU. Runs once.
class subject {
public:
    virtual ~subject() = default;
    subject(const subject&) = delete;
    subject& operator=(const subject&) = delete;

    virtual void start() = 0;

    // When no more is sent: takes what is there, and ends the threads.
    virtual void finish() = 0;

    test::emitter& source() noexcept { return *source_; }

    // Each is to get every event.
    std::deque<receiver>& receivers() noexcept { return receivers_; }

    // What a receiver had no room for. After finish().
    std::uint64_t lost_after_ring(std::size_t receiver) const { return lost_.at(receiver); }

    // Of all threads. After finish().
    std::int64_t cpu_ns() const noexcept { return cpu_ns_; }

    // What else went wrong. After finish().
    const std::string& complaint() const noexcept { return complaint_; }

protected:
    subject(std::unique_ptr<test::emitter> source, std::size_t receivers)
        : source_(std::move(source)), receivers_(receivers), lost_(receivers) {}

    std::unique_ptr<test::emitter> source_; // First here, and last to go.
    std::deque<receiver> receivers_;
    std::vector<std::uint64_t> lost_;
    std::int64_t cpu_ns_ = 0;
    std::string complaint_;
};

} // namespace ctflow::bench
