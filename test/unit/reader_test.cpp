// SPDX-License-Identifier: Apache-2.0
//
// What a reader makes of records that are not finished, and of a side source.
#include "unit/reader_fixture.hpp"

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace ctflow;
using namespace std::chrono_literals;
using ctflow::test::reader_fixture;
using fixture = reader_fixture;

namespace {

using numbers = std::vector<std::uint64_t>;

// Has as much to take as it is told.
struct side final : transport::side_source {
    side() : event_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    ~side() { ::close(event_fd); }
    side(const side&) = delete;
    side& operator=(const side&) = delete;

    int fd() const noexcept override { return event_fd; }
    bool take() override {
        std::uint64_t ignored = 0;
        [[maybe_unused]] const auto length = ::read(event_fd, &ignored, sizeof(ignored));
        ++taken;
        if (at_take) {
            at_take();
        }
        left -= left > 0 ? 1 : 0;
        return left == 0;
    }
    bool tell() override {
        ++told;
        if (at_tell) {
            at_tell();
        }
        asks -= asks > 0 ? 1 : 0;
        return asks == 0;
    }

    void wake() const {
        const std::uint64_t one = 1;
        BOOST_REQUIRE(::write(event_fd, &one, sizeof(one)) == sizeof(one));
    }

    int event_fd;
    int left = 1;
    int asks = 1;
    int taken = 0;
    int told = 0;
    std::function<void()> at_take;
    std::function<void()> at_tell;
};

struct with_side {
    side other;
};

struct side_fixture : with_side, fixture {
    side_fixture() : fixture(&other) {}
};

} // namespace

BOOST_AUTO_TEST_SUITE(reader)

BOOST_FIXTURE_TEST_CASE(a_record_that_is_being_written_is_left_until_it_is_there, fixture) {
    commit(reserve(1));
    const auto second = reserve(2);
    commit(reserve(3));
    run();
    wait_for(1);
    BOOST_TEST(sink->numbers == numbers{1}, boost::test_tools::per_element());
    BOOST_TEST(tail == second); // The kernel compares this with what it commits.

    commit(second);
    wake();
    wait_for(3);
    BOOST_TEST(sink->numbers == (numbers{1, 2, 3}), boost::test_tools::per_element());
    BOOST_TEST(tail == head);
    BOOST_TEST(sink->malformed == 0U);
    finish();
}

BOOST_FIXTURE_TEST_CASE(waiting_for_it_does_not_keep_others_from_their_turn, fixture) {
    reserve(1);
    run();
    ctx.restart();
    BOOST_TEST(ctx.poll() < 10U); // It does not post itself.
    finish();
}

BOOST_FIXTURE_TEST_CASE(stop_waits_for_it_a_little_and_no_longer, fixture) {
    commit(reserve(1));
    reserve(2);
    subject->stop({});
    BOOST_TEST(sink->numbers == numbers{1}, boost::test_tools::per_element());
    BOOST_TEST(sink->closed);
}

BOOST_FIXTURE_TEST_CASE(what_is_in_the_rings_is_told_before_what_a_side_source_took, side_fixture) {
    numbers before;
    other.at_take = [&] {
        commit(reserve(7));
    }; // It woke nobody yet.
    other.at_tell = [&] {
        before = sink->numbers;
    };
    run();
    other.wake();
    ctx.poll();
    BOOST_TEST(other.taken == 1);
    BOOST_TEST(other.told == 1);
    BOOST_TEST(before == numbers{7}, boost::test_tools::per_element());

    ctx.restart();
    other.wake();
    ctx.poll();
    BOOST_TEST(other.told == 2);
    finish();
}

BOOST_FIXTURE_TEST_CASE(a_side_source_that_has_more_has_another_turn_by_itself, side_fixture) {
    other.left = 5;
    run();
    other.wake();
    ctx.poll();
    BOOST_TEST(other.taken == 5);
    BOOST_TEST(other.told == 5);
    finish();
}

BOOST_FIXTURE_TEST_CASE(so_has_one_that_asks_for_it_when_it_has_told, side_fixture) {
    other.asks = 3;
    run();
    other.wake();
    ctx.poll();
    BOOST_TEST(other.told == 3);
    other.asks = 4;
    subject->stop({});
    ctx.poll();
    BOOST_TEST(other.told == 7);
    BOOST_TEST(sink->closed);
    finish();
}

BOOST_FIXTURE_TEST_CASE(stop_takes_what_a_side_source_has_and_no_more_for_ever, side_fixture) {
    other.left = 3;
    subject->stop({});
    BOOST_TEST(other.told == 3);
    BOOST_TEST(sink->closed);

    other.left = 1'000'000;
    subject->stop({});
    BOOST_TEST(other.left > 0);
}

// The kernel says so of a descriptor whose other end is gone, whenever it is asked.
BOOST_AUTO_TEST_CASE(a_descriptor_that_has_hung_up_is_not_asked_for_ever) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    reader_fixture f;
    f.subject = std::make_shared<transport::reader>(
        f.ctx.get_executor(),
        std::vector<transport::ring_source>{{event_kind::update, f.ring()},
                                            {event_kind::update, {ends[0]}}},
        f.sink);
    f.run();
    f.ctx.poll();
    ::close(ends[1]);
    f.ctx.restart();
    BOOST_TEST(f.ctx.run_for(50ms) < 20U);
    f.write(1); // The other goes on.
    f.wake();
    f.wait_for(1);
    f.finish();
    ::close(ends[0]);
}

BOOST_AUTO_TEST_CASE(a_run_ends_when_all_have_hung_up) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    reader_fixture f(nullptr, {}, ends[0]);
    f.run();
    f.ctx.poll();
    BOOST_TEST(!f.result.has_value());
    ::close(ends[1]);
    f.ctx.restart();
    f.ctx.run();
    BOOST_TEST((f.result == boost::asio::error::eof));
}

BOOST_AUTO_TEST_CASE(a_ring_that_comes_later_is_read) {
    struct later final : transport::ring_changes {
        int fd() const noexcept override { return signal; }
        error_code take(const replace& with) override {
            std::uint64_t count = 0;
            if (::read(signal, &count, sizeof(count)) == sizeof(count)) {
                with(0, fresh);
            }
            return {};
        }
        int signal = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        transport::ring fresh;
    } changes;
    reader_fixture f;
    changes.fresh = f.ring();
    f.subject = std::make_shared<transport::reader>(
        f.ctx.get_executor(), std::vector<transport::ring_source>{{event_kind::update, {}}}, f.sink,
        nullptr, transport::wakeups{&f.awake, {}}, &changes);
    f.run();
    f.write(3);
    f.ctx.poll();
    BOOST_TEST(f.sink->numbers.empty()); // Nobody knows of it yet.
    const std::uint64_t one = 1;
    BOOST_REQUIRE(::write(changes.signal, &one, sizeof(one)) == sizeof(one));
    f.wait_for(3);
    BOOST_TEST(f.sink->numbers.size() == 3U);
    f.write(1);
    f.wake();
    f.wait_for(4);
    BOOST_TEST(f.sink->numbers.size() == 4U);
    f.finish();
    ::close(changes.signal);
}

BOOST_AUTO_TEST_CASE(where_nothing_comes_any_more_the_run_ends_with_what_was_there) {
    struct dead final : transport::ring_changes {
        int fd() const noexcept override { return signal; }
        error_code take(const replace&) override {
            std::uint64_t count = 0;
            const bool told = ::read(signal, &count, sizeof(count)) == sizeof(count);
            return told ? make_error_code(errc::conntrack_unloaded) : error_code();
        }
        int signal = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    } changes;
    reader_fixture f;
    f.subject = std::make_shared<transport::reader>(
        f.ctx.get_executor(), std::vector<transport::ring_source>{{event_kind::update, f.ring()}},
        f.sink, nullptr, transport::wakeups{&f.awake, {}}, &changes);
    f.run();
    f.ctx.poll();
    BOOST_TEST(!f.result.has_value());
    f.write(3); // Which wake nobody.
    const std::uint64_t one = 1;
    BOOST_REQUIRE(::write(changes.signal, &one, sizeof(one)) == sizeof(one));
    f.ctx.restart();
    f.ctx.run();
    BOOST_TEST((f.result == errc::conntrack_unloaded));
    BOOST_TEST(f.sink->numbers.size() == 3U);
    BOOST_TEST(!f.sink->closed); // stop() does that.
    ::close(changes.signal);
}

BOOST_AUTO_TEST_SUITE_END()
