// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct ctflow_send;

namespace ctflow::test {

// Sends numbered messages through a perf event array or a ring buffer of the kernel, from the CPU
// that it is called on, as any BPF program may. Needs root, but no right to trace.
class sender {
public:
    enum class way { perf, ring };

    // can_hold: for hold() below, which wants Linux 5.17.
    explicit sender(way w, bool can_hold = false);
    ~sender();
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;

    // Of the map.
    int fd() const;

    // Sends the next n messages, at most 1024. Returns how many found room.
    std::uint64_t send(std::uint32_t n);

    // Those of a ring: what is sent wakes nobody; is discarded instead.
    void quietly(bool on);
    void discarded(bool on);

    // Reserves the first message in the ring, and keeps it until let_go() is called, or for some
    // ten milliseconds.
    void hold();
    void let_go();
    bool holding() const;

    // The number of a message, if this is what was sent with that number.
    static std::uint64_t number(std::span<const std::byte> data);
    static bool intact(std::span<const std::byte> data, std::size_t padding);

private:
    struct deleter {
        void operator()(ctflow_send* s) const noexcept;
    };
    std::unique_ptr<ctflow_send, deleter> skeleton_;
};

} // namespace ctflow::test
