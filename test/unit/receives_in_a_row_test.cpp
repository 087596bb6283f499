// SPDX-License-Identifier: Apache-2.0
//
// Receives that are started by the handler of the one before need not be posted, and keep Asio's
// rules all the same.
#include "support/events.hpp"

#include <ctflow/consumer.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <vector>

namespace asio = boost::asio;
using namespace ctflow;
using test::numbered_from;

namespace {

struct fixture {
    explicit fixture(std::uint64_t events = 100) : c(std::in_place, ctx, "a") {
        c->core()->push(numbered_from(1, events));
        c->core()->flush();
    }

    // One type of handler for all, as a coroutine has.
    struct handler {
        void operator()(error_code ec, const event& e) const {
            BOOST_TEST(!to.starting);
            to.last = ec;
            if (!ec) {
                to.got.push_back(e.conntrack());
            }
            if (const auto what = to.then) { // A copy: it may be replaced meanwhile.
                what();
            }
        }
        fixture& to;
    };

    void receive() {
        starting = true;
        c->async_receive(asio::bind_executor(executor, handler{*this}));
        starting = false;
    }

    void receive_all() {
        then = [this] {
            if (c->stats().event_queue_length != 0) {
                receive();
            }
        };
        receive();
    }

    asio::io_context ctx;
    asio::any_io_executor executor = ctx.get_executor();
    std::optional<ctflow::consumer> c;
    std::function<void()> then; // What the handler does.
    std::vector<std::uint64_t> got;
    error_code last;
    bool starting = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(receives_in_a_row)

BOOST_FIXTURE_TEST_CASE(no_handler_is_called_inside_the_function_that_starts_the_next, fixture) {
    receive_all(); // The handler looks.
    ctx.run();
    BOOST_TEST(got.size() == 100U);
    BOOST_TEST(std::ranges::is_sorted(got));
}

BOOST_FIXTURE_TEST_CASE(some_take_one_turn_of_the_context_and_others_have_theirs, fixture) {
    std::vector<std::size_t> at_turn;
    std::function<void()> other = [&] {
        at_turn.push_back(got.size());
        if (got.size() < 100) {
            asio::post(ctx, other);
        }
    };
    receive_all();
    asio::post(ctx, other);
    ctx.run();
    BOOST_TEST(got.size() == 100U);
    BOOST_TEST(at_turn.size() < 20U);
    for (std::size_t i = 1; i < at_turn.size(); ++i) {
        BOOST_TEST(at_turn[i] - at_turn[i - 1] <= 16U);
    }
}

BOOST_FIXTURE_TEST_CASE(one_for_another_executor_is_posted_there, fixture) {
    asio::io_context other;
    then = [&] {
        then = [&] {
            BOOST_TEST(other.get_executor().running_in_this_thread());
        };
        executor = other.get_executor();
        receive();
    };
    receive();
    ctx.poll(); // Not run: the second receive is work of both.
    BOOST_TEST(got.size() == 1U);
    other.run();
    BOOST_TEST(got.size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_handler_that_throws_does_not_take_the_next_with_it, fixture) {
    then = [&] {
        then = nullptr;
        receive();
        throw std::runtime_error("a handler's");
    };
    receive();
    BOOST_CHECK_THROW(ctx.run(), std::runtime_error);
    BOOST_TEST(got.size() == 1U);
    ctx.run();
    BOOST_TEST(got.size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(one_that_is_cancelled_by_that_handler_takes_nothing, fixture) {
    then = [&] {
        then = nullptr;
        receive();
        c->cancel();
    };
    receive();
    ctx.run();
    BOOST_TEST((last == asio::error::operation_aborted));
    BOOST_TEST(got.size() == 1U);
    BOOST_TEST(c->stats().event_queue_length == 99U);
}

BOOST_FIXTURE_TEST_CASE(one_whose_consumer_goes_is_aborted, fixture) {
    then = [&] {
        then = nullptr;
        receive();
        c.reset();
    };
    receive();
    ctx.run();
    BOOST_TEST((last == asio::error::operation_aborted));
    BOOST_TEST(got.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(one_of_another_kind_is_posted, fixture) {
    bool ran = false;
    then = [&] {
        then = nullptr;
        c->async_receive([&](error_code, const event&) { ran = true; });
        ctx.poll_one(); // Its handler may wait for this one here.
        BOOST_TEST(ran);
    };
    receive();
    ctx.run();
    BOOST_TEST(ran);
}

BOOST_AUTO_TEST_SUITE_END()
