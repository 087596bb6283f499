// SPDX-License-Identifier: Apache-2.0
//
// perf_buffer and ring_buffer on maps of a BPF program that has nothing to do with flows.
#include "support/cpus.hpp"
#include "support/failing_memory.hpp"
#include "support/resources.hpp"
#include "support/sanitizers.hpp"
#include "support/sender.hpp"

#include <ctflow/perf_buffer.hpp>
#include <ctflow/ring_buffer.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <bpf/bpf.h>
#include <sys/resource.h>
#include <unistd.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;

namespace {

struct by_perf {
    using record = perf_record;
    using buffer = perf_buffer;
    static constexpr auto way = sender::way::perf;
    static constexpr std::size_t padding = 7;
};
struct by_ring {
    using record = ring_record;
    using buffer = ring_buffer;
    static constexpr auto way = sender::way::ring;
    static constexpr std::size_t padding = 0;
};
using both = boost::mp11::mp_list<by_perf, by_ring>;

// A sender, and a buffer that receives what it sends, in order.
template <class Kind>
struct line {
    line() { stay_on_cpu(0); }

    void receive() {
        result.reset();
        buffer.async_receive(out, [this](error_code ec, std::size_t n) { take(ec, n); });
    }

    void take(error_code ec, std::size_t n) {
        result = ec;
        count = n;
        for (std::size_t i = 0; i < n; ++i) {
            BOOST_TEST(sender::number(out[i].data) == received++);
            BOOST_TEST(sender::intact(out[i].data, Kind::padding));
        }
    }

    // Receives until a message with that number has come.
    void receive_up_to(std::uint64_t number) {
        while (received <= number) {
            receive();
            ctx.restart();
            ctx.run_for(10s);
            BOOST_REQUIRE((result && !*result));
        }
    }

    void wait_for_result() {
        ctx.restart();
        ctx.run_for(10s);
        BOOST_REQUIRE(result.has_value());
    }

    asio::io_context ctx;
    sender source{Kind::way};
    typename Kind::buffer buffer{ctx, source.fd()};
    std::array<typename Kind::record, 16> out;
    std::uint64_t received = 0; // The number of the next.
    std::optional<error_code> result;
    std::size_t count = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(buffers)

// Around the rings' ends many times: 64 pages hold some 2000 messages.
BOOST_AUTO_TEST_CASE_TEMPLATE(messages_of_all_lengths_come_whole_and_in_order, Kind, both) {
    line<Kind> l;
    for (int round = 0; round < 50; ++round) {
        BOOST_REQUIRE(l.source.send(400) == 400U);
        l.receive_up_to(static_cast<std::uint64_t>(round) * 400 + 399);
    }
    const auto stats = l.buffer.stats();
    BOOST_TEST(stats.records == 20'000U);
    BOOST_TEST(stats.bytes >= 20'000U * 8);
    BOOST_TEST(stats.malformed == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_more_than_there_is_room_for, Kind, both) {
    line<Kind> l;
    l.source.send(20);
    l.receive();
    BOOST_TEST(!l.result.has_value()); // Not inside of the initiating function.
    l.wait_for_result();
    BOOST_TEST(l.count == 16U);
    BOOST_TEST(l.buffer.try_receive(l.out) == 4U);
    BOOST_TEST(l.buffer.try_receive(l.out) == 0U);
}

// At each point around a wait: before it, between its beginning and the reactor's first look, when
// the reactor waits, and right after it was woken.
BOOST_AUTO_TEST_CASE_TEMPLATE(no_wake_up_is_missed, Kind, both) {
    line<Kind> l;
    for (int round = 0; round < 50; ++round) {
        l.source.send(1);
        l.receive();
        l.wait_for_result();

        l.receive();
        l.source.send(1);
        l.wait_for_result();

        l.receive();
        l.ctx.restart();
        l.ctx.poll();
        l.source.send(1);
        l.wait_for_result();

        l.source.send(1);
        l.ctx.restart();
        l.ctx.poll(); // The reactor sees the edge while nobody waits.
        l.receive();
        l.ctx.restart();
        l.ctx.poll();
        l.source.send(1);
        l.wait_for_result();
        l.receive_up_to(l.received);
    }
    BOOST_TEST(l.buffer.stats().records == 250U);
}

// The ring is full when it is opened for reading: no further record will wake anyone.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_full_ring_is_read, Kind, both) {
    line<Kind> l;
    std::uint64_t found_room = 0;
    for (int i = 0; i < 10; ++i) {
        found_room += l.source.send(1000);
    }
    BOOST_REQUIRE(found_room < 10'000U);
    BOOST_REQUIRE(found_room > 500U);
    // Short ones found room where longer ones before them had not.
    std::uint64_t next = 0;
    for (std::uint64_t n = 0; n < found_room;) {
        std::optional<std::size_t> count;
        l.buffer.async_receive(l.out, [&](error_code, std::size_t m) { count = m; });
        l.ctx.restart();
        l.ctx.run_for(10s);
        BOOST_REQUIRE((count && *count > 0));
        for (std::size_t i = 0; i < *count; ++i) {
            BOOST_TEST(sender::number(l.out[i].data) >= next);
            next = sender::number(l.out[i].data) + 1;
            BOOST_TEST(sender::intact(l.out[i].data, Kind::padding));
        }
        n += *count;
    }
    l.source.send(1);
    l.received = 10'000;
    l.receive();
    l.wait_for_result();
    BOOST_TEST(l.count == 1U);
    if constexpr (Kind::way == sender::way::perf) {
        BOOST_TEST(l.buffer.stats().lost == 10'000 - found_room);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_receive_takes_nothing, Kind, both) {
    line<Kind> l;
    asio::cancellation_signal signal;
    for (const auto type : {asio::cancellation_type::total, asio::cancellation_type::partial,
                            asio::cancellation_type::terminal}) {
        std::optional<error_code> result;
        l.source.send(1);
        l.buffer.async_receive(
            l.out, asio::bind_cancellation_slot(signal.slot(),
                                                [&](error_code ec, std::size_t) { result = ec; }));
        signal.emit(type); // It is on its way already.
        l.ctx.restart();
        l.ctx.poll();
        BOOST_TEST((result == asio::error::operation_aborted));
        l.receive_up_to(l.received);

        result.reset();
        l.buffer.async_receive(
            l.out, asio::bind_cancellation_slot(signal.slot(),
                                                [&](error_code ec, std::size_t) { result = ec; }));
        l.ctx.restart();
        l.ctx.poll();
        BOOST_TEST(!result.has_value());
        signal.emit(type);
        l.ctx.restart();
        l.ctx.poll();
        BOOST_TEST((result == asio::error::operation_aborted));
    }
    l.receive();
    l.buffer.cancel();
    l.wait_for_result();
    BOOST_TEST((l.result == asio::error::operation_aborted));
    l.receive(); // Which the one before has not spoilt.
    l.ctx.restart();
    l.ctx.poll();
    BOOST_TEST(!l.result.has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(raced_against_a_timer_nothing_is_lost, Kind, both) {
    using namespace asio::experimental::awaitable_operators;
    line<Kind> l;
    std::atomic<bool> over = false;
    std::atomic<bool> ended = false;
    std::atomic<std::uint64_t> taken = 0;
    std::thread sending([&] {
        stay_on_cpu(0);
        for (std::uint64_t i = 0; i < 1000 && !ended; ++i) {
            while (i > taken + 300 && !ended) { // The ring holds some 800.
                std::this_thread::yield();
            }
            l.source.send(1);
            std::this_thread::yield();
        }
        over = true;
    });
    auto race = [&]() -> asio::awaitable<void> {
        asio::steady_timer timer(l.ctx);
        for (auto delay = 0us; l.received < 1000; delay = (delay + 1us) % 50us) {
            timer.expires_after(delay);
            const auto winner = co_await (l.buffer.async_receive(l.out, asio::use_awaitable) ||
                                          timer.async_wait(asio::use_awaitable));
            if (winner.index() == 0) {
                l.take({}, std::get<0>(winner));
                taken = l.received;
            }
            if (over && l.buffer.stats().records > l.received) {
                BOOST_ERROR("a record was taken by a receive that lost the race");
                co_return;
            }
        }
    };
    asio::co_spawn(l.ctx, race(), asio::detached);
    l.ctx.run_for(60s);
    ended = true;
    sending.join();
    BOOST_TEST(l.received == 1000U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(flush_fetches_what_woke_nobody, Kind, both) {
    line<Kind> l;
    if constexpr (Kind::way == sender::way::perf) {
        l.buffer = perf_buffer(l.ctx, l.source.fd(), {.pages = 8, .wakeup_records = 1000});
    } else {
        l.source.quietly(true);
    }
    l.receive();
    l.ctx.restart();
    l.ctx.poll();
    l.source.send(3);
    l.ctx.restart();
    l.ctx.run_for(20ms);
    BOOST_TEST(!l.result.has_value());
    l.buffer.flush();
    l.wait_for_result();
    BOOST_TEST(!*l.result);
    BOOST_TEST(l.count == 3U);
    l.receive();
    l.wait_for_result();
    BOOST_TEST((l.result == errc::flushed));
    l.receive();
    l.ctx.restart();
    l.ctx.poll();
    BOOST_TEST(!l.result.has_value()); // It waits again.
    l.buffer.flush();
    l.wait_for_result();
    BOOST_TEST((l.result == errc::flushed));
}

// Whoever is slower than it to receive.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_flush_ends_beside_a_sender_that_goes_on, Kind, both) {
    line<Kind> l;
    l.source.send(20);
    l.buffer.flush();
    for (int i = 0; i < 10 && (!l.result || !*l.result); ++i) {
        l.source.send(8);
        l.receive();
        l.wait_for_result();
    }
    BOOST_TEST((l.result == errc::flushed));
    BOOST_TEST(l.received >= 20U);
    l.receive();
    l.wait_for_result();
    BOOST_TEST(!*l.result); // What came after it.
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_handed_out_outlives_the_closing, Kind, both) {
    line<Kind> l;
    l.source.send(3);
    std::size_t count = 0;
    bool intact = false;
    l.buffer.async_receive(l.out, [&](error_code, std::size_t n) {
        count = n;
        std::thread([&] { l.buffer.close(); }).join();
        intact = sender::intact(l.out[2].data, Kind::padding);
    });
    l.ctx.run();
    BOOST_TEST(count == 3U);
    BOOST_TEST(intact);
    BOOST_TEST(!l.buffer.is_open());
    BOOST_TEST(sender::intact(l.out[2].data, Kind::padding));
    if constexpr (Kind::way == sender::way::perf) {
        BOOST_TEST(l.source.send(1) == 0U);
    }
    l.receive();
    l.wait_for_result();
    BOOST_TEST((l.result == asio::error::bad_descriptor));
}

BOOST_AUTO_TEST_CASE(a_ring_that_is_opened_anew_goes_on_where_it_was) {
    line<by_ring> l;
    l.source.send(3);
    l.receive_up_to(2);
    l.buffer = ring_buffer(l.ctx, l.source.fd()); // For a moment there are two.
    l.source.send(1);
    l.receive_up_to(3);
    { const auto gone = std::move(l.buffer); }
    l.source.send(1);
    l.buffer = ring_buffer(l.ctx, l.source.fd());
    l.receive_up_to(4);
    BOOST_TEST(l.buffer.stats().records == 1U);
}

// As Asio's own I/O objects are.
BOOST_AUTO_TEST_CASE_TEMPLATE(another_type_of_executor_goes_on, Kind, both) {
    line<Kind> l;
    l.source.send(3);
    l.receive_up_to(2);
    l.source.send(2);
    l.receive();
    {
        constexpr asio::as_tuple_t<asio::use_awaitable_t<>> awaiting;
        auto rebound = awaiting.as_default_on(std::move(l.buffer));
        l.wait_for_result();
        BOOST_TEST((l.result == asio::error::operation_aborted));
        auto receive = [&]() -> asio::awaitable<void> {
            const auto [ec, n] = co_await rebound.async_receive(l.out);
            l.take(ec, n);
        };
        asio::co_spawn(l.ctx, receive(), asio::detached);
        l.wait_for_result();
        BOOST_TEST(l.received == 5U);
        l.buffer = typename Kind::buffer(std::move(rebound));
    }
    BOOST_TEST(l.buffer.is_open());
    l.source.send(1);
    l.receive_up_to(5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(closing_and_destroying_end_a_receive, Kind, both) {
    line<Kind> l;
    l.receive();
    l.ctx.poll();
    l.buffer.close();
    l.wait_for_result();
    BOOST_TEST((l.result == asio::error::operation_aborted));
    l.receive();
    l.wait_for_result();
    BOOST_TEST((l.result == asio::error::bad_descriptor));
    BOOST_TEST(l.buffer.try_receive(l.out) == 0U);

    l.buffer = typename Kind::buffer(l.ctx, l.source.fd());
    {
        auto moved = std::move(l.buffer);
        moved.async_receive(l.out, [&](error_code ec, std::size_t n) { l.take(ec, n); });
        l.result.reset();
        auto again = std::move(moved);
        l.source.send(1);
        l.wait_for_result();
        BOOST_TEST(!*l.result);
        l.result.reset();
        again.async_receive(l.out, [&](error_code ec, std::size_t n) { l.take(ec, n); });
    }
    l.wait_for_result();
    BOOST_TEST((l.result == asio::error::operation_aborted));
    l.buffer = typename Kind::buffer(l.ctx, l.source.fd());
    l.receive(); // Goes with the context.
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_receive_at_a_time, Kind, both) {
    line<Kind> l;
    std::optional<error_code> second;
    l.receive();
    l.buffer.async_receive(l.out, [&](error_code ec, std::size_t) { second = ec; });
    l.ctx.poll();
    BOOST_TEST((second == errc::receive_outstanding));
    l.source.send(1);
    l.wait_for_result();
    BOOST_TEST(!*l.result);
    second.reset();
    l.buffer.async_receive({}, [&](error_code ec, std::size_t) { second = ec; });
    l.ctx.restart();
    l.ctx.poll();
    BOOST_TEST((second == asio::error::invalid_argument));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_kind_of_map_is_refused, Kind, both) {
    using other = std::conditional_t<Kind::way == sender::way::perf, by_ring, by_perf>;
    asio::io_context ctx;
    const sender source(other::way);
    const auto refused = [](const error_code& expected) {
        return [expected](const system_error& e) {
            return e.code() == expected;
        };
    };
    BOOST_CHECK_EXCEPTION(typename Kind::buffer(ctx, source.fd()), system_error,
                          refused(asio::error::invalid_argument));
    BOOST_CHECK_EXCEPTION(typename Kind::buffer(ctx, -1), system_error,
                          refused(asio::error::bad_descriptor));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nothing_is_left_behind, Kind, both) {
    const sender source(Kind::way);
    const auto before = resources::now();
    for (int i = 0; i < 10; ++i) {
        asio::io_context ctx;
        const typename Kind::buffer buffer(ctx, source.fd());
    }
    BOOST_TEST(resources::now().descriptors == before.descriptors);
}

// Received by a pool of four threads, with no strand but the one that a single chain of operations
// is by itself.
template <class Kind>
struct pool_line {
    pool_line() {
        stay_on_cpu(0);
        asio::co_spawn(pool, receive(), [this](std::exception_ptr e) { failure = std::move(e); });
    }
    ~pool_line() {
        buffer.close();
        pool.join();
    }

    asio::awaitable<void> receive() {
        std::array<typename Kind::record, 8> out;
        for (;;) {
            const auto n = co_await buffer.async_receive(out, asio::use_awaitable);
            for (std::size_t i = 0; i < n; ++i) {
                if (sender::number(out[i].data) != received++) {
                    throw std::runtime_error("out of order");
                }
            }
        }
    }

    // Sends n, when all but `behind` of those before have been received.
    bool send(std::uint32_t n, std::uint64_t behind) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (received + behind < sent && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::yield();
        }
        sent += source.send(n);
        return received + behind + n >= sent;
    }

    asio::thread_pool pool{4};
    sender source{Kind::way};
    typename Kind::buffer buffer{pool.get_executor(), source.fd()};
    std::atomic<std::uint64_t> received = 0;
    std::uint64_t sent = 0;
    std::exception_ptr failure;
};

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pool_of_threads, Kind, both) {
    pool_line<Kind> l;
    for (int i = 0; i < 200; ++i) {
        BOOST_REQUIRE(l.send(100, 300)); // The ring holds some 800.
        (void)l.buffer.stats();
    }
    BOOST_TEST(l.send(0, 0));
    BOOST_TEST(l.received == 20'000U);
}

// While no receive waits, another thread of the pool may be told of the last of some messages.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_pool_of_threads_misses_no_wake_up, Kind, both) {
    pool_line<Kind> l;
    for (std::uint32_t i = 0; i < 500; ++i) {
        BOOST_REQUIRE(l.send(1 + i % 41, 0));
    }
    BOOST_TEST(l.send(0, 0));
}

BOOST_AUTO_TEST_CASE(what_is_sent_to_a_paused_ring_is_counted_as_lost) {
    line<by_perf> l;
    error_code ec;
    l.source.send(2);
    l.buffer.pause(ec);
    BOOST_TEST(!ec);
    BOOST_TEST(l.source.send(3) == 0U);
    l.receive_up_to(1);
    l.buffer.resume(ec);
    BOOST_TEST(!ec);
    l.received += 3;
    l.source.send(1);
    l.receive_up_to(l.received);
    BOOST_TEST(l.buffer.stats().lost == 3U);
    l.buffer.close();
    l.buffer.pause(ec);
    BOOST_TEST((ec == asio::error::bad_descriptor));
}

BOOST_AUTO_TEST_CASE(sizes_that_are_none_are_refused) {
    asio::io_context ctx;
    const sender source(sender::way::perf);
    error_code ec;
    diagnostics diag;
    for (const std::size_t pages : {0U, 3U, 131072U}) {
        const perf_buffer refused(ctx, source.fd(), {.pages = pages}, ec, diag);
        BOOST_TEST((ec == asio::error::invalid_argument));
        BOOST_TEST(diag.find("power of two") != diag.npos);
    }
}

BOOST_AUTO_TEST_CASE(records_name_their_cpu) {
    const auto cpus = static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN));
    line<by_perf> l;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        stay_on_cpu(cpu);
        l.source.send(1);
        l.receive();
        l.wait_for_result();
        BOOST_REQUIRE(l.count == 1U);
        BOOST_TEST(l.out[0].cpu == cpu);
    }
    stay_on_cpu(0);
}

// Though the program has the map still.
BOOST_AUTO_TEST_CASE(nothing_can_be_sent_to_a_closed_perf_buffer) {
    line<by_perf> l;
    l.buffer.close();
    BOOST_TEST(l.source.send(1) == 0U);
}

BOOST_AUTO_TEST_CASE(discarded_records_are_passed_over) {
    line<by_ring> l;
    l.source.send(1);
    l.source.discarded(true);
    l.source.send(100);
    l.source.discarded(false);
    l.receive_up_to(0);
    l.received += 100;
    l.receive();
    l.ctx.restart();
    l.ctx.poll();
    BOOST_TEST(!l.result.has_value());
    l.source.send(1);
    l.wait_for_result();
    BOOST_TEST(!*l.result);
    BOOST_TEST(l.buffer.stats().records == 2U);
}

// The ring itself is readable all that time. The record is reserved for some ten milliseconds: it
// is tried again if this thread had no CPU meanwhile.
BOOST_AUTO_TEST_CASE(a_record_that_is_reserved_is_waited_for_asleep) {
    if (::sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        BOOST_TEST_MESSAGE("skipped: wants a second CPU, as the VM of vm.*.buffers has");
        return;
    }
    int looks = 0;
    for (int i = 0; i < 20 && looks < 100; ++i) {
        line<by_ring> l;
        sender source(sender::way::ring, true);
        l.buffer = ring_buffer(l.ctx, source.fd());
        std::atomic<bool> over = false;
        std::thread holding([&] {
            stay_on_cpu(1);
            source.hold();
            over = true;
        });
        while (!source.holding() && !over) {
            std::this_thread::yield();
        }
        l.receive();
        l.wait_for_result();
        BOOST_TEST(l.count >= 1U);
        l.receive();
        std::size_t turns = 0;
        l.ctx.restart();
        for (looks = 0; looks < 1000 && source.holding(); ++looks) {
            turns += l.ctx.poll_one();
        }
        source.let_go();
        holding.join();
        BOOST_TEST(turns < 10U);
        if (l.received < 2) {
            l.wait_for_result();
        }
        BOOST_TEST(l.received == 2U);
    }
    BOOST_TEST(looks >= 100);
}

#ifndef CTFLOW_TEST_WITH_ASAN
// Descriptors run out, one later each time. UBSan looks at an object's type through a pipe: without
// descriptors it finds all objects wrong.
BOOST_AUTO_TEST_CASE(a_perf_buffer_that_fails_has_not_touched_the_map) {
    line<by_perf> l;
    const int next = ::dup(l.source.fd());
    ::close(next);
    rlimit before{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    int failures = 0;
    for (error_code ec = asio::error::no_descriptors; ec && failures < 1000; ++failures) {
        auto tight = before;
        tight.rlim_cur = static_cast<rlim_t>(next) + static_cast<rlim_t>(failures);
        BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
        diagnostics diag;
        std::optional<perf_buffer> second(std::in_place, l.ctx, l.source.fd(),
                                          perf_buffer_options(), ec, diag);
        BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
        if (ec) {
            BOOST_TEST((ec == asio::error::no_descriptors));
            second.reset();
            BOOST_TEST(l.source.send(1) == 1U);
            l.receive_up_to(l.received);
        }
    }
    BOOST_TEST(failures > 3);
    BOOST_TEST(failures < 1000);
}
#endif

BOOST_AUTO_TEST_CASE(a_map_that_takes_no_event_is_an_error) {
    asio::io_context ctx;
    const sender source(sender::way::perf);
    BOOST_REQUIRE(bpf_map_freeze(source.fd()) == 0);
    error_code ec;
    diagnostics diag;
    const perf_buffer refused(ctx, source.fd(), {}, ec, diag);
    BOOST_TEST((ec == boost::system::errc::operation_not_permitted));
    BOOST_TEST(diag.find("CPU 0") != diag.npos);
}

// Memory runs out, one request later each time.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_buffer_without_memory_leaves_nothing_behind, Kind, both) {
    line<Kind> l;
    const auto before = resources::now();
    bool made = false;
    for (std::size_t nth = 0; !made && nth < 1000; ++nth) {
        std::optional<typename Kind::buffer> second;
        std::optional<failing_memory> scarcity(std::in_place, nth);
        try {
            second.emplace(l.ctx, l.source.fd());
        } catch (const std::bad_alloc&) {
        } catch (const system_error& e) {
            BOOST_TEST((e.code() == boost::system::errc::not_enough_memory), e.code().message());
        }
        made = !failing_memory::happened();
        scarcity.reset();
        BOOST_TEST(second.has_value() >= made);
        if (!made) {
            second.reset();
            BOOST_TEST(resources::now().descriptors == before.descriptors);
            BOOST_TEST(l.source.send(1) == 1U);
            l.receive_up_to(l.received);
        }
    }
    BOOST_TEST(made);
}

// For ThreadSanitizer: the signal goes past what makes close() safe to call from any thread.
BOOST_AUTO_TEST_CASE_TEMPLATE(closed_by_one_thread_and_cancelled_by_another, Kind, both) {
    const sender source(Kind::way);
    for (int round = 0; round < 100; ++round) {
        asio::io_context ctx;
        typename Kind::buffer buffer(ctx, source.fd());
        std::array<typename Kind::record, 4> out;
        asio::cancellation_signal signal;
        std::optional<error_code> result;
        buffer.async_receive(
            out, asio::bind_cancellation_slot(signal.slot(),
                                              [&](error_code ec, std::size_t) { result = ec; }));
        asio::post(ctx, [&] { signal.emit(asio::cancellation_type::total); });
        std::thread running([&] { ctx.run(); });
        buffer.close();
        running.join();
        BOOST_TEST((result == asio::error::operation_aborted));
    }
}

BOOST_AUTO_TEST_SUITE_END()
