// SPDX-License-Identifier: Apache-2.0
//
// Descriptors and memory run out at each step of making and starting a probe: there is an error,
// and nothing is left behind.
#include "support/failing_memory.hpp"
#include "support/resources.hpp"
#include "vm/watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstddef>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>

#include <sys/resource.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;

namespace {

// How far a probe got, and what stopped it.
struct outcome {
    std::string step;
    std::string error; // Empty: nothing did.
};

std::string sentence(const error_code& ec, const diagnostics& diag) {
    return ctflow::system_error(ec, diag).what();
}

// Makes and starts a probe, runs it, and stops it. From the run on there is memory again: Asio ends
// the program if it has none for that (the constructor of executor_work_guard is noexcept, and
// allocates for an executor of any type).
outcome try_probe(asio::io_context& ctx, std::optional<failing_memory>& scarcity) {
    error_code ec;
    diagnostics diag;
    std::optional<error_code> run;
    probe p(ctx, config_under_test(), ec, diag);
    if (ec) {
        return {"make", sentence(ec, diag)};
    }
    try {
        p.start(ec, diag);
        if (ec) {
            return {"start", sentence(ec, diag)};
        }
    } catch (const std::bad_alloc&) {
        scarcity.reset();
        throw;
    }
    scarcity.reset();
    p.async_run([&](error_code e) { run = e; });
    ctx.restart();
    ctx.poll();
    if (run.has_value()) {
        return {"run", sentence(*run, {})};
    }
    p.stop();
    ctx.restart();
    ctx.run();
    return {"stop", run.value() ? sentence(*run, {}) : ""};
}

outcome try_probe(asio::io_context& ctx) {
    std::optional<failing_memory> none;
    return try_probe(ctx, none);
}

void limit_descriptors(std::size_t n) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = n;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        throw std::system_error(errno, std::generic_category(), "setrlimit");
    }
}

void say(const std::map<std::string, int>& errors) {
    for (const auto& [error, times] : errors) {
        BOOST_TEST_MESSAGE(times << " x " << error);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(failures)

BOOST_AUTO_TEST_CASE(out_of_descriptors_at_each_step) {
    asio::io_context ctx;
    BOOST_REQUIRE(try_probe(ctx).error.empty()); // All that comes but once.
    const auto before = resources::now();
    std::map<std::string, int> errors;
    for (std::size_t limit = 4;; ++limit) {
        limit_descriptors(limit);
        const auto o = try_probe(ctx);
        limit_descriptors(1024);
        BOOST_TEST(resources::now().descriptors == before.descriptors);
        if (o.error.empty()) {
            break;
        }
        ++errors[o.step + ": " + o.error];
        BOOST_REQUIRE(limit < 1000);
    }
    say(errors);
}

// By tracing there are some ten thousand, nearly all of libbpf's: of those, ever fewer.
BOOST_AUTO_TEST_CASE(out_of_memory_at_each_step) {
    asio::io_context ctx;
    BOOST_REQUIRE(try_probe(ctx).error.empty());
    const auto before = resources::now();
    const bool each = attach_under_test() == attach_mode::netfilter;
    std::map<std::string, int> errors;
    std::size_t nth = 0;
    for (bool through = false; !through; nth += each ? 1 : 1 + nth / 16) {
        std::string error = "std::bad_alloc";
        try {
            std::optional<failing_memory> scarcity(std::in_place, nth);
            const auto o = try_probe(ctx, scarcity);
            through = !failing_memory::happened();
            error = o.step + ": " + o.error;
        } catch (const std::bad_alloc&) { // NOLINT(bugprone-empty-catch)
        }
        ++errors[error];
        BOOST_TEST(resources::now().descriptors == before.descriptors);
    }
    BOOST_TEST_MESSAGE(nth << " allocations or so");
    say(errors);
    if (!each) { // In the VM, where nobody else has any.
        settle(resources::at_first());
        check_same_in_kernel(resources::at_first(), resources::now());
    }
}

BOOST_AUTO_TEST_SUITE_END()
