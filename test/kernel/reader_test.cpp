// SPDX-License-Identifier: Apache-2.0
//
// The reader on real perf buffers of the running kernel.
#include "support/emitter.hpp"
#include "transport/perf_buffer.hpp"
#include "transport/reader.hpp"
#include "transport/ring.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using namespace ctflow;
using namespace std::chrono_literals;
using test::emitter;

namespace {

// Keeps what comes, and can do something at each batch, while the reader is draining.
struct collector final : transport::event_sink {
    void on_events(event_kind, std::span<const event> batch) override {
        for (const auto& e : batch) {
            numbers.push_back(e.conntrack());
        }
        if (at_batch) {
            at_batch();
        }
    }
    void on_malformed(std::uint64_t n) override { malformed += n; }
    void flush() override { ++flushes; }
    void close() override { closed = true; }

    std::vector<std::uint64_t> numbers;
    std::uint64_t malformed = 0;
    int flushes = 0;
    bool closed = false;
    std::function<void()> at_batch;
};

transport::perf_buffer open(const emitter& e, std::size_t pages) {
    error_code ec;
    diagnostics diag;
    transport::perf_buffer b(e.map_fd(), pages, ec, diag);
    BOOST_REQUIRE_MESSAGE(!ec, ec.message() << ": " << diag);
    return b;
}

struct fixture {
    explicit fixture(std::size_t pages = 64) : buffer(open(source, pages)) {
        std::vector<transport::ring_source> rings;
        for (const auto& ring : buffer.rings()) {
            rings.push_back({event_kind::update, ring});
        }
        subject = std::make_shared<transport::reader>(ctx.get_executor(), rings, sink);
    }

    void run() {
        subject->run([this](error_code ec) { result = ec; });
    }

    // Runs the reactor until so many events have come; gives up when there is no hope left.
    bool wait_for(std::size_t events) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (sink->numbers.size() < events && std::chrono::steady_clock::now() < deadline) {
            ctx.restart();
            ctx.run_one_for(100ms);
        }
        return sink->numbers.size() == events;
    }

    void finish() {
        subject->stop({});
        ctx.restart();
        ctx.run();
        BOOST_TEST(!result.value());
    }

    void check_sequence() const {
        for (std::size_t i = 0; i < sink->numbers.size(); ++i) {
            BOOST_REQUIRE_EQUAL(sink->numbers[i], i + 1);
        }
    }

    asio::io_context ctx;
    emitter source;
    transport::perf_buffer buffer;
    std::shared_ptr<collector> sink = std::make_shared<collector>();
    std::shared_ptr<transport::reader> subject;
    std::optional<error_code> result;
};

std::size_t open_descriptors() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                      std::filesystem::directory_iterator()));
}

// What a reader must not do: drain, then wait. Here to show that the test below can tell.
class naive_reader {
public:
    naive_reader(asio::io_context& ctx, const transport::perf_buffer::ring& ring, collector& sink)
        : ring_(ring), sink_(sink), watch_(ctx, ring.fd) {}
    ~naive_reader() { watch_.release(); }

    void wait() {
        watch_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code ec) {
            if (!ec) {
                drain();
                wait();
            }
        });
    }

private:
    void drain() {
        std::array<event, 64> out;
        const auto pass = transport::read_ring(ring_.memory.data(), ring_.memory.head(),
                                               ring_.memory.tail(), event_kind::update, out);
        ring_.memory.set_tail(pass.tail);
        sink_.on_events(event_kind::update, {out.data(), pass.events});
    }

    transport::perf_buffer::ring ring_;
    collector& sink_;
    asio::posix::stream_descriptor watch_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(reader)

BOOST_FIXTURE_TEST_CASE(events_arrive_in_order, fixture) {
    run();
    ctx.poll();
    BOOST_TEST(source.emit(500) == 500U);
    BOOST_TEST(wait_for(500));
    check_sequence();
    finish();
    BOOST_TEST(sink->closed);
    BOOST_TEST(sink->malformed == 0U);
}

BOOST_FIXTURE_TEST_CASE(an_event_that_lands_while_the_handler_drains_needs_no_other_to_arrive,
                        fixture) {
    run();
    ctx.poll();
    for (std::size_t round = 1; round <= 20; ++round) {
        // The second event falls between the look at the ring and the end of the handler.
        sink->at_batch = [this] {
            sink->at_batch = nullptr;
            source.emit(1);
        };
        source.emit(1);
        BOOST_REQUIRE(wait_for(2 * round));
    }
    check_sequence();
    finish();
}

BOOST_AUTO_TEST_CASE(and_the_other_order_of_wait_and_drain_would_leave_it_lying) {
    asio::io_context ctx;
    emitter source;
    const auto buffer = open(source, 8);
    collector sink;
    naive_reader naive(ctx, buffer.rings().front(), sink);
    naive.wait();
    ctx.poll();
    sink.at_batch = [&] {
        sink.at_batch = nullptr;
        source.emit(1);
    };
    source.emit(1);
    ctx.run_for(500ms);
    // The kernel holds two events; one was read, and nothing will tell of the other.
    BOOST_TEST(sink.numbers.size() == 1U);
    source.emit(1);
    ctx.restart();
    ctx.run_for(500ms);
    BOOST_TEST(sink.numbers.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_ring_filled_to_the_brim_before_the_first_wait_comes_alive) {
    fixture f(1); // One page: 34 records.
    const auto taken = f.source.emit(100);
    BOOST_TEST(taken > 0U);
    BOOST_TEST(taken < 100U);
    f.run();
    BOOST_TEST(f.wait_for(taken));
    f.source.emit(1);
    BOOST_TEST(f.wait_for(taken + 1));
    // The numbers of those that the full ring refused are missing, and no others.
    BOOST_TEST(f.sink->numbers.back() == 101U);
    f.finish();
}

BOOST_AUTO_TEST_CASE(a_ring_that_fills_up_while_nobody_runs_the_context_comes_alive) {
    fixture f(1);
    f.run();
    f.ctx.poll();
    for (int round = 0; round < 5; ++round) {
        const auto before = f.sink->numbers.size();
        const auto taken = f.source.emit(200);
        BOOST_TEST(taken < 200U);
        BOOST_TEST(f.wait_for(before + taken));
    }
    f.finish();
}

BOOST_AUTO_TEST_CASE(a_drain_that_runs_out_of_budget_goes_on_by_itself) {
    fixture f(512); // Room for three budgets.
    std::uint64_t taken = 0;
    for (std::uint64_t i = 0; i < 3 * transport::reader::budget / 1024; ++i) {
        taken += f.source.emit(1024);
    }
    BOOST_TEST(taken == 3 * transport::reader::budget);
    int other_handlers = 0;
    f.sink->at_batch = [&] {
        if (f.sink->numbers.size() % transport::reader::budget == 0) {
            asio::post(f.ctx, [&] { ++other_handlers; });
        }
    };
    f.run();
    BOOST_TEST(f.wait_for(taken));   // Without a single event more.
    BOOST_TEST(other_handlers >= 2); // They had their turn in between.
    f.check_sequence();
    f.finish();
}

BOOST_FIXTURE_TEST_CASE(stop_reads_what_the_kernel_has_sent_already, fixture) {
    run();
    ctx.poll();
    source.emit(10);
    finish();
    BOOST_TEST(sink->numbers.size() == 10U);
    BOOST_TEST(sink->closed);
}

BOOST_FIXTURE_TEST_CASE(stop_without_a_run_does_so_at_once, fixture) {
    source.emit(10);
    subject->stop({});
    BOOST_TEST(sink->numbers.size() == 10U);
    BOOST_TEST(sink->closed);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_run_can_be_followed_by_another, fixture) {
    asio::cancellation_signal signal;
    subject->run(asio::bind_cancellation_slot(signal.slot(), [&](error_code ec) { result = ec; }));
    ctx.poll();
    signal.emit(asio::cancellation_type::total);
    ctx.run();
    BOOST_TEST((result == asio::error::operation_aborted));
    BOOST_TEST(!sink->closed);

    source.emit(5); // While nobody reads.
    result.reset();
    run();
    BOOST_TEST(wait_for(5));
    finish();
}

BOOST_FIXTURE_TEST_CASE(a_second_run_is_refused_and_the_first_goes_on, fixture) {
    run();
    std::optional<error_code> second;
    subject->run([&](error_code ec) { second = ec; });
    BOOST_TEST(!second.has_value()); // Not inside the initiating function.
    ctx.poll();
    BOOST_TEST((second == errc::already_running));
    source.emit(3);
    BOOST_TEST(wait_for(3));
    finish();
}

BOOST_FIXTURE_TEST_CASE(runs_leave_no_descriptor_open_and_close_none_of_libbpfs, fixture) {
    run();
    ctx.poll();
    const auto before = open_descriptors();
    for (int i = 0; i < 100; ++i) {
        subject->stop({});
        ctx.restart();
        ctx.run();
        run();
        ctx.restart();
        ctx.poll();
    }
    BOOST_TEST(open_descriptors() == before);
    source.emit(3);
    BOOST_TEST(wait_for(3));
    finish();
}

BOOST_AUTO_TEST_CASE(a_context_that_ends_under_a_run_frees_its_handler) {
    auto witness = std::make_shared<int>();
    const std::weak_ptr<int> alive = witness;
    {
        const emitter source;
        const auto buffer = open(source, 8);
        asio::io_context ctx;
        auto sink = std::make_shared<collector>();
        auto subject = std::make_shared<transport::reader>(
            ctx.get_executor(),
            std::vector<transport::ring_source>{{event_kind::update, buffer.rings().front()}},
            sink);
        subject->run([witness = std::move(witness)](error_code) {});
        ctx.poll();
        BOOST_TEST(!alive.expired());
        subject.reset(); // The run keeps it.
    }
    BOOST_TEST(alive.expired());
}

BOOST_AUTO_TEST_CASE(four_threads_may_run_the_context) {
    fixture f(64);
    std::uint64_t taken = 0;
    auto work = asio::make_work_guard(f.ctx);
    f.run();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] { f.ctx.run(); });
    }
    for (int i = 0; i < 200; ++i) {
        taken += f.source.emit(64);
    }
    f.subject->stop({});
    work.reset();
    for (auto& t : threads) {
        t.join();
    }
    BOOST_TEST(!f.result.value());
    BOOST_TEST(f.sink->numbers.size() == taken);
    BOOST_TEST(std::ranges::is_sorted(f.sink->numbers));
}

BOOST_AUTO_TEST_SUITE_END()
