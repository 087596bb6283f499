// SPDX-License-Identifier: Apache-2.0
#include "probe/registry.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using ctflow::consumer_mode;
using ctflow::errc;
using ctflow::error_code;
using ctflow::detail::consumer_core;
using core_ptr = std::shared_ptr<consumer_core>;

struct fixture {
    boost::asio::io_context context;
    ctflow::detail::registry registry;

    core_ptr make(const char* name) {
        return std::make_shared<consumer_core>(context, name, consumer_mode::all, 8);
    }

    error_code add(const core_ptr& c) {
        error_code ec;
        registry.add(c, ec);
        return ec;
    }

    core_ptr added(const char* name) {
        auto c = make(name);
        BOOST_REQUIRE(!add(c));
        return c;
    }

    error_code remove(const char* name) {
        error_code ec;
        registry.remove(name, ec);
        return ec;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(registry, fixture)

BOOST_AUTO_TEST_CASE(a_new_one_is_empty) {
    BOOST_TEST(registry.list().empty());
    BOOST_TEST(registry.find("a") == nullptr);
    BOOST_TEST(registry.find("") == nullptr);
}

BOOST_AUTO_TEST_CASE(consumers_are_found_by_name_and_listed_in_order) {
    const auto a = added("a");
    const auto b = added("b");
    BOOST_TEST(registry.find("a") == a);
    BOOST_TEST(registry.find("b") == b);
    BOOST_TEST(registry.find("ab") == nullptr);
    BOOST_TEST((registry.list() == std::vector{a, b}));
}

BOOST_AUTO_TEST_CASE(a_name_is_given_once) {
    const auto first = added("a");
    const auto second = make("a");
    BOOST_TEST(add(second) == make_error_code(errc::duplicate_consumer));
    BOOST_TEST(registry.find("a") == first);
    BOOST_TEST((registry.list() == std::vector{first}));
    BOOST_TEST(!first->closed());
    BOOST_TEST(!second->closed());

    // Refused is not taken: it can go elsewhere.
    ctflow::detail::registry other;
    error_code ec;
    other.add(second, ec);
    BOOST_TEST(!ec);
}

BOOST_AUTO_TEST_CASE(a_consumer_is_registered_once) {
    const auto a = added("a");
    BOOST_TEST(add(a) == make_error_code(errc::consumer_registered));
    BOOST_TEST((registry.list() == std::vector{a}));
}

BOOST_AUTO_TEST_CASE(a_consumer_has_one_registry) {
    const auto a = added("a");
    ctflow::detail::registry other;
    error_code ec;
    other.add(a, ec);
    BOOST_TEST(ec == make_error_code(errc::consumer_registered));
    BOOST_TEST(other.list().empty());
    BOOST_TEST(registry.find("a") == a);
}

BOOST_AUTO_TEST_CASE(a_closed_consumer_cannot_be_registered) {
    const auto a = make("a");
    a->close();
    BOOST_TEST(add(a) == make_error_code(errc::consumer_closed));
    BOOST_TEST(registry.list().empty());
}

BOOST_AUTO_TEST_CASE(a_removed_consumer_is_closed_and_forgotten) {
    const auto a = added("a");
    const auto b = added("b");
    BOOST_TEST(!remove("a"));
    BOOST_TEST(a->closed());
    BOOST_TEST(!b->closed());
    BOOST_TEST(registry.find("a") == nullptr);
    BOOST_TEST((registry.list() == std::vector{b}));
    BOOST_TEST(remove("a") == make_error_code(errc::unknown_consumer));
    BOOST_TEST(add(a) == make_error_code(errc::consumer_closed));
    BOOST_TEST(!add(make("a"))); // The name is free.
}

BOOST_AUTO_TEST_CASE(a_removed_consumer_keeps_what_it_has_and_then_is_closed) {
    const auto a = added("a");
    const std::vector<ctflow::event> batch(3);
    a->push(batch);
    BOOST_REQUIRE(!remove("a"));

    std::array<ctflow::event, 2> out;
    BOOST_TEST(a->ready());
    BOOST_TEST(a->pop(out) == 2U);
    BOOST_TEST(a->pop(out) == 1U);
    BOOST_TEST(a->pop(out) == 0U);
    BOOST_TEST(a->closed());
    BOOST_TEST(!a->abandoned());
    BOOST_TEST(a->ready()); // So that who waits is told.
}

BOOST_AUTO_TEST_CASE(what_is_not_there_cannot_be_removed) {
    BOOST_TEST(remove("a") == make_error_code(errc::unknown_consumer));
    const auto a = added("a");
    BOOST_TEST(remove("b") == make_error_code(errc::unknown_consumer));
    BOOST_TEST(remove("") == make_error_code(errc::unknown_consumer));
    BOOST_TEST(!a->closed());
    BOOST_TEST(registry.find("a") == a);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_closes_itself_frees_its_name) {
    const auto a = added("a");
    a->close();
    BOOST_TEST(registry.find("a") == nullptr);
    const auto again = added("a");
    BOOST_TEST(registry.find("a") == again);
    BOOST_TEST((registry.list() == std::vector{again}));
}

BOOST_AUTO_TEST_CASE(a_consumer_that_has_closed_itself_is_unknown) {
    // As probe::get_consumer and remove_consumer(consumer&) have it.
    const auto a = added("a");
    a->close();
    BOOST_TEST(registry.find("a") == nullptr);
    BOOST_TEST(remove("a") == make_error_code(errc::unknown_consumer));
}

BOOST_AUTO_TEST_CASE(pruning_forgets_the_closed_alone) {
    const auto a = added("a");
    const auto b = added("b");
    const auto c = added("c");
    a->close();
    c->abandon();
    registry.prune();
    BOOST_TEST((registry.list() == std::vector{b}));
    BOOST_TEST(a.use_count() == 1);
    BOOST_TEST(c.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(closing_closes_and_forgets_all_and_is_not_the_end) {
    const auto a = added("a");
    const auto b = added("b");
    registry.close();
    BOOST_TEST(a->closed());
    BOOST_TEST(b->closed());
    BOOST_TEST(registry.list().empty());
    BOOST_TEST(a.use_count() == 1);
    BOOST_TEST(!add(make("a"))); // A probe can be started again.
}

BOOST_AUTO_TEST_CASE(the_generation_grows_with_each_change_and_not_otherwise) {
    auto last = registry.generation();
    const auto grown = [&] {
        const auto before = last;
        last = registry.generation();
        return last > before;
    };
    BOOST_TEST(!grown());

    const auto a = added("a");
    BOOST_TEST(grown());
    const auto b = added("b");
    BOOST_TEST(grown());

    add(a);
    add(make("a"));
    remove("c");
    registry.find("a");
    registry.prune();
    BOOST_TEST(!grown());

    remove("a");
    BOOST_TEST(grown());

    b->close();
    BOOST_TEST(!grown());
    registry.prune();
    BOOST_TEST(grown());
    registry.prune();
    BOOST_TEST(!grown());

    const auto c = added("c");
    BOOST_TEST(grown());
    registry.close();
    BOOST_TEST(grown());
}

BOOST_AUTO_TEST_CASE(threads_may_use_it_at_once) {
    constexpr int rounds = 200;
    std::vector<std::thread> threads;
    std::atomic<int> failures{0};
    const auto before = registry.generation();
    for (const char* name : {"a", "b", "c"}) {
        threads.emplace_back([&, name] {
            for (int i = 0; i < rounds; ++i) {
                const auto c = make(name);
                failures += add(c) ? 1 : 0;
                failures += registry.find(name) == c ? 0 : 1;
                failures += registry.list().empty() ? 1 : 0;
                failures += remove(name) ? 1 : 0;
            }
        });
    }
    for (auto& each : threads) {
        each.join();
    }
    BOOST_TEST(failures == 0);
    BOOST_TEST(registry.list().empty());
    BOOST_TEST(registry.generation() - before == 3U * 2U * rounds);
}

BOOST_AUTO_TEST_SUITE_END()
