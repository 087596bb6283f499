// SPDX-License-Identifier: Apache-2.0
#pragma once

// The reader on a ring of our own making, for what a kernel does not do when asked.
#include "transport/bpf_ring.hpp"
#include "transport/reader.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

namespace ctflow::test {

struct collector final : transport::event_sink {
    void on_events(event_kind, std::span<const event> batch) override {
        for (const auto& e : batch) {
            numbers.push_back(e.conntrack());
        }
    }
    void on_malformed(std::uint64_t n) override { malformed += n; }
    void flush() override {}
    void close() override { closed = true; }

    std::vector<std::uint64_t> numbers;
    std::uint64_t malformed = 0;
    bool closed = false;
};

// A ring of our own making, framed as a BPF ring buffer, whose records begin as busy ones. It ends
// before it wraps around.
struct reader_fixture {
    // descriptor: an eventfd of its own, unless given.
    explicit reader_fixture(transport::side_source* side = nullptr,
                            std::chrono::nanoseconds interval = {}, int descriptor = -1)
        : fd(descriptor < 0 ? ::eventfd(0, EFD_CLOEXEC) : descriptor) {
        subject = std::make_shared<transport::reader>(
            ctx.get_executor(), std::vector<transport::ring_source>{{event_kind::update, ring()}},
            sink, side, transport::wakeups{&awake, interval});
    }
    ~reader_fixture() { ::close(fd); }
    reader_fixture(const reader_fixture&) = delete;
    reader_fixture& operator=(const reader_fixture&) = delete;

    transport::ring ring() {
        return {fd, {{&head, &tail, data}, transport::read_bpf_ring}, {&state, 1}};
    }

    // Returns where its length is.
    std::size_t reserve(std::uint64_t number) {
        ctflow_record record{};
        record.kind = CTFLOW_RECORD_UPDATE;
        record.family = 2;
        record.conntrack = number;
        const auto at = static_cast<std::size_t>(head);
        set_length(at, event_length | 1U << 31);
        std::memcpy(&data[at + 8], &record, sizeof(record));
        head += 8 + event_length;
        return at;
    }

    void commit(std::size_t at) { set_length(at, event_length); }

    // As many records as that, which wake nobody.
    void write(std::uint64_t count) {
        for (; count != 0; --count) {
            commit(reserve(++last));
        }
    }

    void wake() const {
        const std::uint64_t one = 1;
        BOOST_REQUIRE(::write(fd, &one, sizeof(one)) == sizeof(one));
    }

    void run() {
        subject->run([this](error_code ec) { result = ec; });
    }

    void wait_for(std::size_t events) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (sink->numbers.size() < events && std::chrono::steady_clock::now() < deadline) {
            ctx.restart();
            ctx.run_one_for(std::chrono::milliseconds(100));
        }
    }

    void finish() {
        subject->stop({});
        ctx.restart();
        ctx.run();
        BOOST_TEST(!result.value());
    }

    boost::asio::io_context ctx;
    int fd;
    alignas(8) std::array<std::byte, 32768> data{};
    transport::ring_memory::position head = 0;
    transport::ring_memory::position tail = 0;
    ctflow_ring_state state{};
    transport::shared_word awake = 0;
    std::shared_ptr<collector> sink = std::make_shared<collector>();
    std::shared_ptr<transport::reader> subject;
    std::optional<error_code> result;

    std::uint64_t last = 0; // Number that was written.

private:
    void set_length(std::size_t at, std::uint32_t word) {
        std::memcpy(&data[at], &word, sizeof(word));
    }
};

} // namespace ctflow::test
