// SPDX-License-Identifier: Apache-2.0
//
// What a reader makes of records that are not finished, and of a side source.
#include "unit/reader_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <functional>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

using namespace ctflow;
using fixture = ctflow::test::reader_fixture;

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
    void tell() override {
        ++told;
        if (at_tell) {
            at_tell();
        }
    }

    void wake() const {
        const std::uint64_t one = 1;
        BOOST_REQUIRE(::write(event_fd, &one, sizeof(one)) == sizeof(one));
    }

    int event_fd;
    int left = 1;
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

BOOST_FIXTURE_TEST_CASE(stop_takes_what_a_side_source_has_and_no_more_for_ever, side_fixture) {
    other.left = 3;
    subject->stop({});
    BOOST_TEST(other.told == 3);
    BOOST_TEST(sink->closed);

    other.left = 1'000'000;
    subject->stop({});
    BOOST_TEST(other.left > 0);
}

BOOST_AUTO_TEST_SUITE_END()
