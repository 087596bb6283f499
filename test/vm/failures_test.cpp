// SPDX-License-Identifier: Apache-2.0
//
// Descriptors and memory run out at each step of making and starting a probe: there is an error,
// and nothing is left behind.
#include "support/failing_memory.hpp"
#include "support/resources.hpp"
#include "vm/watch.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

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

// Asio forgets that there may be no memory for a strand: its destructor looks for a service that it
// has not been given yet (~strand_impl() in strand_executor_service.ipp of Boost 1.81). Whether a
// request is one of a strand's, but for the first, whose failure does no harm.
class asios_own {
public:
    explicit asios_own(asio::io_context& ctx)
        : executor_(with_all_mutexes(ctx)),
          strand_(requests_of([&] { asio::strand<asio::any_io_executor>{executor_}; })),
          all_(requests_of([&] { BOOST_REQUIRE(try_probe(ctx).error.empty()); })) {
        BOOST_REQUIRE(first() < all_.size());
    }

    bool operator()(std::size_t nth) const {
        return first() < nth && nth < first() + strand_.size();
    }

private:
    std::size_t first() const {
        const auto at = std::search(all_.begin(), all_.end(), strand_.begin(), strand_.end());
        return static_cast<std::size_t>(at - all_.begin());
    }

    // Strands share some two hundred, each of which is made when it is first needed.
    static asio::any_io_executor with_all_mutexes(asio::io_context& ctx) {
        for (int i = 0; i < 10'000; ++i) {
            asio::make_strand(ctx);
        }
        return ctx.get_executor();
    }

    asio::any_io_executor executor_;
    std::vector<std::size_t> strand_;
    std::vector<std::size_t> all_;
};

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
        check_same_in_process(before, resources::now());
        if (o.error.empty()) {
            break;
        }
        ++errors[o.step + ": " + o.error];
        BOOST_TEST(o.error.find("Too many open files (raise ulimit -n") == 0U);
        BOOST_REQUIRE(limit < 1000);
    }
    say(errors);
}

// By tracing there are some ten thousand, nearly all of libbpf's: of those, ever fewer.
BOOST_AUTO_TEST_CASE(out_of_memory_at_each_step) {
    asio::io_context ctx;
    BOOST_REQUIRE(try_probe(ctx).error.empty());
    const asios_own not_ours(ctx);
    const auto before = resources::now();
    const bool each = attach_under_test() == attach_mode::netfilter;
    std::map<std::string, int> errors;
    std::size_t nth = 0;
    for (bool through = false; !through; nth += each ? 1 : 1 + nth / 16) {
        if (not_ours(nth)) {
            continue;
        }
        std::string error = "std::bad_alloc";
        try {
            std::optional<failing_memory> scarcity(std::in_place, nth);
            const auto o = try_probe(ctx, scarcity);
            through = !failing_memory::happened();
            error = o.step + ": " + o.error;
        } catch (const std::bad_alloc&) { // NOLINT(bugprone-empty-catch)
        }
        BOOST_TEST((through || error == "std::bad_alloc" || error.find("memory") != error.npos));
        ++errors[error];
        check_same_in_process(before, resources::now());
    }
    BOOST_TEST_MESSAGE(nth << " allocations or so");
    say(errors);
    if (!each) { // In the VM, where nobody else has any.
        settle(resources::at_first());
        check_same_in_kernel(resources::at_first(), resources::now());
    }
}

BOOST_AUTO_TEST_SUITE_END()
