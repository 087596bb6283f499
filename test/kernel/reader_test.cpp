// SPDX-License-Identifier: Apache-2.0
//
// The reader on real perf buffers and ring buffers of the running kernel.
#include "support/cpus.hpp"
#include "support/emitter.hpp"
#include "transport/cpu_rings.hpp"
#include "transport/reader.hpp"
#include "transport/record_rings.hpp"

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
#include <tuple>
#include <utility>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

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
            check(e);
        }
        if (at_batch) {
            at_batch();
        }
    }
    void on_malformed(std::uint64_t n) override { malformed += n; }
    void flush() override { ++flushes; }
    void close() override { closed = true; }

    // What follows the record, as test/bpf/emit.bpf.c sends it.
    void check(const event& e) {
        const auto master = e.master();
        const auto lived = e.kind() == event_kind::destroy && !master ? 1ns : 0ns;
        detailed += master ? 1 : 0;
        wrong +=
            (master && master->conntrack != e.conntrack()) || e.duration().value_or(0ns) != lived
                ? 1
                : 0;
    }

    std::vector<std::uint64_t> numbers;
    std::size_t detailed = 0;
    std::size_t wrong = 0;
    std::uint64_t malformed = 0;
    int flushes = 0;
    bool closed = false;
    std::function<void()> at_batch;
};

config of_pages(transport_kind kind, std::size_t pages) {
    config c;
    c.transport = kind;
    c.buffer_pages = pages;
    return c;
}

// The rings of an emitter.
struct opened {
    opened(const emitter& e, transport_kind kind, std::size_t pages)
        : rings(e.maps(), of_pages(kind, pages), ec, diag) {
        BOOST_REQUIRE_MESSAGE(!ec, ec.message() << ": " << diag);
    }

    // The one that its updates come by.
    transport::ring updates() const {
        for (const auto& each : rings.sources()) {
            if (each.kind == event_kind::update && each.ring.fd >= 0) {
                return each.ring;
            }
        }
        return {};
    }

    error_code ec;
    diagnostics diag;
    transport::record_rings rings;
};

struct fixture {
    explicit fixture(transport_kind kind, std::size_t pages = 64,
                     std::chrono::nanoseconds interval = 500us)
        : source(kind, pages), open(source, kind, pages),
          subject(std::make_shared<transport::reader>(
              ctx.get_executor(), open.rings.sources(), sink, nullptr,
              transport::wakeups{open.rings.told().awake, interval})) {}

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
    opened open;
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
    naive_reader(asio::io_context& ctx, const transport::ring& ring, collector& sink)
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
        const auto pass = ring_.memory.read(ring_.memory.head(), ring_.memory.tail(),
                                            event_kind::update, trailers_, out);
        ring_.memory.set_tail(pass.tail);
        sink_.on_events(event_kind::update, {out.data(), pass.events});
    }

    trailer_pool trailers_;
    transport::ring ring_;
    collector& sink_;
    asio::posix::stream_descriptor watch_;
};

// Opens the ring of the first CPU anew whenever it is told.
struct renewals final : transport::ring_changes {
    explicit renewals(transport::cpu_rings& b) : buffer(b) {}
    ~renewals() { ::close(descriptor); }
    void signal() const {
        const std::uint64_t one = 1;
        BOOST_REQUIRE(::write(descriptor, &one, sizeof(one)) == sizeof(one));
    }
    int fd() const noexcept override { return descriptor; }
    error_code take(const replace& with) override {
        std::uint64_t count = 0;
        if (::read(descriptor, &count, sizeof(count)) != sizeof(count)) {
            return {}; // At the begin of the run.
        }
        BOOST_TEST(!buffer.renew(0, [&](const transport::ring& fresh) { with(0, fresh); }));
        return {};
    }
    transport::cpu_rings& buffer;
    int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
};

// A reader whose only rings are those, and that is running.
struct renewed : fixture {
    renewed() : fixture(transport_kind::perf_buffer) {
        BOOST_REQUIRE_MESSAGE(!ec, ec.message() << ": " << diag);
        std::vector<transport::ring_source> sources;
        for (const auto& each : buffer.rings()) {
            sources.push_back({event_kind::update, each});
        }
        subject = std::make_shared<transport::reader>(ctx.get_executor(), sources, sink, nullptr,
                                                      transport::wakeups{states.awake(), 500us},
                                                      &changes);
        run();
        ctx.poll();
    }

    error_code ec;
    diagnostics diag;
    const transport::ring_states states{source.maps().ring_states, 3, ec};
    transport::cpu_rings buffer{source.maps().updates, 64, states, 0, ec, diag};
    renewals changes{buffer};
};

// Each test that takes one of these is made for both.
struct perf {
    static constexpr auto kind = transport_kind::perf_buffer;
};
struct ring {
    static constexpr auto kind = transport_kind::ring_buffer;
};
using transports = std::tuple<perf, ring>;

} // namespace

BOOST_AUTO_TEST_SUITE(reader)

BOOST_AUTO_TEST_CASE_TEMPLATE(events_arrive_in_order, tested, transports) {
    fixture f(tested::kind);
    f.run();
    f.ctx.poll();
    BOOST_TEST(f.source.emit(500) == 500U);
    BOOST_TEST(f.wait_for(500));
    f.check_sequence();
    f.finish();
    BOOST_TEST(f.sink->closed);
    BOOST_TEST(f.sink->malformed == 0U);
}

// Of both kinds: an update has nothing or all behind its record, an end its duration or all.
BOOST_AUTO_TEST_CASE_TEMPLATE(what_follows_a_record_arrives_with_it, tested, transports) {
    fixture f(tested::kind);
    f.run();
    std::uint64_t expected = 0;
    std::uint64_t detailed = 0;
    for (std::uint32_t i = 0; i < 200; ++i) {
        f.source.detail(i % 3 == 0);
        const auto kind = i % 2 == 0 ? event_kind::update : event_kind::destroy;
        expected += f.source.emit(1 + i % 5, kind);
        detailed += i % 3 == 0 ? 1 + i % 5 : 0;
        f.ctx.poll();
    }
    BOOST_REQUIRE(f.wait_for(expected));
    BOOST_TEST(f.sink->detailed == detailed);
    BOOST_TEST(f.sink->wrong == 0U);
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_event_that_lands_while_the_handler_drains_needs_no_other_to_arrive,
                              tested, transports) {
    fixture f(tested::kind);
    f.run();
    f.ctx.poll();
    for (std::size_t round = 1; round <= 20; ++round) {
        // The second event falls between the look at the ring and the end of the handler.
        f.sink->at_batch = [&] {
            f.sink->at_batch = nullptr;
            f.source.emit(1);
        };
        f.source.emit(1);
        BOOST_REQUIRE(f.wait_for(2 * round));
    }
    f.check_sequence();
    f.finish();
}

BOOST_AUTO_TEST_CASE(and_the_other_order_of_wait_and_drain_would_leave_it_lying) {
    asio::io_context ctx;
    emitter source(transport_kind::perf_buffer, 8);
    const opened rings(source, transport_kind::perf_buffer, 8);
    collector sink;
    naive_reader naive(ctx, rings.updates(), sink);
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

BOOST_AUTO_TEST_CASE_TEMPLATE(a_ring_filled_to_the_brim_before_the_first_wait_comes_alive, tested,
                              transports) {
    fixture f(tested::kind, 1); // One page: 34 records, or 36.
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

BOOST_AUTO_TEST_CASE_TEMPLATE(a_ring_that_fills_up_while_nobody_runs_the_context_comes_alive,
                              tested, transports) {
    fixture f(tested::kind, 1);
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

BOOST_AUTO_TEST_CASE_TEMPLATE(a_drain_that_runs_out_of_budget_goes_on_by_itself, tested,
                              transports) {
    fixture f(tested::kind, 512); // Room for three budgets.
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

BOOST_AUTO_TEST_CASE_TEMPLATE(stop_reads_what_the_kernel_has_sent_already, tested, transports) {
    fixture f(tested::kind);
    f.run();
    f.ctx.poll();
    f.source.emit(10);
    f.finish();
    BOOST_TEST(f.sink->numbers.size() == 10U);
    BOOST_TEST(f.sink->closed);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(stop_without_a_run_does_so_at_once, tested, transports) {
    fixture f(tested::kind);
    f.source.emit(10);
    f.subject->stop({});
    BOOST_TEST(f.sink->numbers.size() == 10U);
    BOOST_TEST(f.sink->closed);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_run_can_be_followed_by_another, tested, transports) {
    fixture f(tested::kind);
    asio::cancellation_signal signal;
    f.subject->run(
        asio::bind_cancellation_slot(signal.slot(), [&](error_code ec) { f.result = ec; }));
    f.ctx.poll();
    signal.emit(asio::cancellation_type::total);
    f.ctx.run();
    BOOST_TEST((f.result == asio::error::operation_aborted));
    BOOST_TEST(!f.sink->closed);

    f.source.emit(5); // While nobody reads.
    f.result.reset();
    f.run();
    BOOST_TEST(f.wait_for(5));
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_second_run_is_refused_and_the_first_goes_on, tested, transports) {
    fixture f(tested::kind);
    f.run();
    bool called = false;
    ctflow::detail::run_handler second([&](error_code) { called = true; });
    BOOST_TEST(!f.subject->run(std::move(second)));
    BOOST_TEST(!!second); // The caller's still.
    f.ctx.poll();
    BOOST_TEST(!called);
    f.source.emit(3);
    BOOST_TEST(f.wait_for(3));
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(runs_leave_no_descriptor_open_and_close_none_of_others, tested,
                              transports) {
    fixture f(tested::kind);
    f.run();
    f.ctx.poll();
    const auto before = open_descriptors();
    for (int i = 0; i < 100; ++i) {
        f.subject->stop({});
        f.ctx.restart();
        f.ctx.run();
        f.run();
        f.ctx.restart();
        f.ctx.poll();
    }
    BOOST_TEST(open_descriptors() == before);
    f.source.emit(3);
    BOOST_TEST(f.wait_for(3));
    f.finish();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_context_that_ends_under_a_run_frees_its_handler, tested,
                              transports) {
    auto witness = std::make_shared<int>();
    const std::weak_ptr<int> alive = witness;
    {
        const emitter source(tested::kind, 8);
        const opened rings(source, tested::kind, 8);
        asio::io_context ctx;
        auto sink = std::make_shared<collector>();
        auto subject = std::make_shared<transport::reader>(
            ctx.get_executor(), rings.rings.sources(), sink, nullptr, rings.rings.told());
        subject->run([witness = std::move(witness)](error_code) {});
        ctx.poll();
        BOOST_TEST(!alive.expired());
        subject.reset(); // The run keeps it.
    }
    BOOST_TEST(alive.expired());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(four_threads_may_run_the_context, tested, transports) {
    fixture f(tested::kind, 64);
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

BOOST_AUTO_TEST_CASE_TEMPLATE(no_moment_is_a_bad_one_for_an_event, tested, transports) {
    fixture f(tested::kind, 1);
    f.run();
    std::atomic<std::uint64_t> taken = 0;
    std::size_t expected = 0;
    for (int round = 0; round < 500; ++round) {
        // Of what lands at any time, more than the ring holds too, nothing is left lying.
        std::thread writer([&] {
            if (::sysconf(_SC_NPROCESSORS_ONLN) > 1) {
                test::stay_on_cpu(1);
            }
            for (std::uint32_t i = 0; i < 40; ++i) {
                taken += f.source.emit(1 + i % 3);
            }
        });
        f.ctx.restart();
        f.ctx.run_for(1ms);
        writer.join();
        expected = taken;
        BOOST_REQUIRE(f.wait_for(expected));
    }
    BOOST_TEST(std::ranges::is_sorted(f.sink->numbers));
    f.finish();
}

BOOST_AUTO_TEST_CASE(a_ring_buffer_may_be_opened_and_read_again) {
    fixture f(transport_kind::ring_buffer);
    BOOST_TEST(f.open.rings.sources().size() == 3U); // For all CPUs.
    f.source.emit(3);
    f.subject->stop({});
    BOOST_TEST(f.sink->numbers.size() == 3U);

    const opened again(f.source, transport_kind::ring_buffer, 64);
    const auto memory = again.updates().memory;
    BOOST_TEST(memory.head() == memory.tail());
    BOOST_TEST(memory.tail() == 3U * (8 + event_length));
}

BOOST_AUTO_TEST_CASE(what_is_no_ring_buffer_is_not_opened) {
    const emitter source(transport_kind::perf_buffer, 8);
    error_code ec;
    diagnostics diag;
    const transport::record_rings rings(source.maps(), of_pages(transport_kind::ring_buffer, 8), ec,
                                        diag);
    BOOST_TEST(ec.failed());
}

// As when a CPU comes online that was there before.
BOOST_FIXTURE_TEST_CASE(a_ring_that_is_opened_anew_loses_nothing_of_the_one_before, renewed) {
    for (std::size_t round = 1; round <= 50; ++round) {
        source.emit(7); // Into the ring that is about to go.
        changes.signal();
        BOOST_REQUIRE(wait_for(8 * round - 1));
        source.emit(1); // Into the one that came.
        BOOST_REQUIRE(wait_for(8 * round));
    }
    check_sequence();
    finish();
}

BOOST_FIXTURE_TEST_CASE(nor_while_it_is_written, renewed) {
    std::atomic<bool> done = false;
    std::atomic<std::uint64_t> taken = 0;
    std::thread writer([&] { // On the CPU whose ring it is.
        while (!done) {
            taken += source.emit(64);
        }
    });
    if (::sysconf(_SC_NPROCESSORS_ONLN) > 1) {
        test::stay_on_cpu(1);
    }
    for (int i = 0; i < 300; ++i) {
        changes.signal();
        ctx.restart();
        ctx.run_for(1ms);
    }
    done = true;
    writer.join();
    finish();
    BOOST_TEST(sink->numbers.size() == taken);
    auto& all = sink->numbers;
    std::ranges::sort(all);
    BOOST_TEST((std::ranges::adjacent_find(all) == all.end()));
}

BOOST_AUTO_TEST_SUITE_END()
