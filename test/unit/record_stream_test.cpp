// SPDX-License-Identifier: Apache-2.0
//
// What perf_buffer and ring_buffer do around a wait, with rings that are none.
#include <ctflow/detail/record_stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace asio = boost::asio;
using namespace ctflow;

namespace {

// A ring that the test fills, and whose descriptor tells nothing unless told to.
struct ring {
    std::size_t records = 0;
    int looks = 0;            // How often it was asked whether it is ready.
    int comes_after_look = 0; // A record comes, unheard, after this one.
    int fd = -1;
    int woken_for_nothing = 0;
    error_code reason;
};

class source final : public detail::record_source<int> {
public:
    explicit source(ring& r) : ring_(r) {}

    int descriptor(error_code&) override { return ring_.fd = ::eventfd(0, 0); }
    void start(error_code&, diagnostics&) override {}
    void stop() noexcept override {}
    void mark() noexcept override {}
    bool reached_mark() const noexcept override { return !ready(); }
    void release() noexcept override {}
    bool ready() const noexcept override {
        const bool is = ring_.records != 0;
        if (++ring_.looks == ring_.comes_after_look) {
            ++ring_.records;
        }
        return is;
    }
    std::size_t take(std::span<int> out) override {
        const auto n = std::min(out.size(), ring_.records);
        ring_.records -= n;
        return n;
    }
    error_code look_why() override {
        ++ring_.woken_for_nothing;
        std::uint64_t ignored{};
        BOOST_REQUIRE(::read(ring_.fd, &ignored, sizeof(ignored)) == 8);
        return ring_.reason;
    }

private:
    ring& ring_;
};

struct fixture {
    using stream = detail::record_stream<int, asio::any_io_executor>;

    void receive() {
        result.reset();
        detail::async_receive_records(subject, std::span<int>(out),
                                      [this](error_code e, std::size_t n) {
                                          result = e;
                                          count = n;
                                      });
    }
    void run() {
        ctx.restart();
        ctx.poll();
    }
    void tell() const {
        const std::uint64_t one = 1;
        BOOST_REQUIRE(::write(r.fd, &one, sizeof(one)) == 8);
    }

    asio::io_context ctx;
    ring r;
    error_code ec;
    diagnostics diag;
    std::shared_ptr<stream> subject =
        std::make_shared<stream>(ctx.get_executor(), std::make_unique<source>(r), ec, diag);
    std::array<int, 4> out{};
    std::optional<error_code> result;
    std::size_t count = 0;
};

struct counted final : std::pmr::memory_resource {
    explicit counted(std::pmr::memory_resource& m) : from(m) {}
    void* do_allocate(std::size_t n, std::size_t alignment) override {
        ++outstanding;
        return from.allocate(n, alignment);
    }
    void do_deallocate(void* p, std::size_t n, std::size_t alignment) override {
        --outstanding;
        from.deallocate(p, n, alignment);
    }
    bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }
    std::pmr::memory_resource& from;
    int outstanding = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(record_stream)

// Between the look at the rings and the wait; another thread has used up its readiness.
BOOST_FIXTURE_TEST_CASE(a_record_that_comes_right_before_the_wait_is_not_left_there, fixture) {
    r.comes_after_look = 1;
    receive();
    run();
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST(!*result);
    BOOST_TEST(count == 1U);
}

BOOST_FIXTURE_TEST_CASE(woken_for_nothing_it_asks_why_and_waits_on, fixture) {
    receive();
    run();
    tell();
    run();
    BOOST_TEST(!result.has_value());
    BOOST_TEST(r.woken_for_nothing == 1);
    r.records = 9;
    tell();
    run();
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST(count == 4U); // All that there is room for.
}

BOOST_FIXTURE_TEST_CASE(if_nothing_can_come_any_more_it_ends, fixture) {
    r.reason = asio::error::eof;
    receive();
    run();
    tell();
    run();
    BOOST_TEST((result == asio::error::eof));
    receive();
    run();
    BOOST_TEST((result == asio::error::eof)); // And stays at its end.
}

// There is no memory for the wait.
BOOST_FIXTURE_TEST_CASE(a_receive_that_cannot_wait_is_over, fixture) {
    const auto fail = [&](auto owned) {
        detail::async_receive_records(
            subject, std::span<int>(out),
            asio::bind_allocator(
                std::pmr::polymorphic_allocator<>(std::pmr::null_memory_resource()),
                [owned = std::move(owned)](error_code, std::size_t) {}));
    };
    BOOST_CHECK_THROW(fail(0), std::bad_alloc);
    r.records = 1;
    receive();
    run();
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST(!*result);

    // The handler takes what it owns with it: the object itself, say.
    const auto close = [](fixture* f) {
        f->subject->close();
    };
    BOOST_CHECK_THROW(fail(std::unique_ptr<fixture, decltype(close)>(this, close)), std::bad_alloc);
    receive();
    run();
    BOOST_TEST((result == asio::error::bad_descriptor));
}

BOOST_FIXTURE_TEST_CASE(closed_it_keeps_its_descriptor_as_long_as_a_receive_needs_it, fixture) {
    const auto open = [&] {
        return ::fcntl(r.fd, F_GETFD) >= 0;
    };
    receive();
    run();
    subject->close();
    BOOST_TEST(open());
    run();
    BOOST_TEST((result == asio::error::operation_aborted));
    BOOST_TEST(!open());
}

BOOST_FIXTURE_TEST_CASE(a_wait_has_the_handlers_memory_and_gives_it_back_first, fixture) {
    std::array<std::byte, 4096> memory;
    std::pmr::monotonic_buffer_resource area(memory.data(), memory.size(),
                                             std::pmr::null_memory_resource());
    counted books(area);
    bool called = false;
    detail::async_receive_records(subject, std::span<int>(out),
                                  asio::bind_allocator(std::pmr::polymorphic_allocator<>(&books),
                                                       [&](error_code, std::size_t) {
                                                           called = true;
                                                           BOOST_TEST(books.outstanding == 0);
                                                       }));
    BOOST_TEST(books.outstanding == 1);
    run();
    r.records = 1;
    tell();
    run();
    BOOST_TEST(called);
}

BOOST_FIXTURE_TEST_CASE(a_flush_and_a_cancel_before_the_wait_are_not_lost, fixture) {
    subject->flush();
    receive();
    run();
    BOOST_TEST((result == errc::flushed));

    subject->cancel(); // Of nothing.
    receive();
    run();
    BOOST_TEST(!result.has_value());
    subject->cancel();
    run();
    BOOST_TEST((result == asio::error::operation_aborted));
}

BOOST_FIXTURE_TEST_CASE(without_a_source_each_receive_fails, fixture) {
    ec = asio::error::no_memory;
    subject = std::make_shared<stream>(ctx.get_executor(), nullptr, ec, diag);
    receive();
    run();
    BOOST_TEST((result == asio::error::bad_descriptor));
    BOOST_TEST(subject->try_receive(out) == 0U);
    subject->flush();
    subject->close();
}

BOOST_AUTO_TEST_SUITE_END()
