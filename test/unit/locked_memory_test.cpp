// SPDX-License-Identifier: Apache-2.0
#include "host/locked_memory.hpp"
#include "host/memory.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include <sys/resource.h>

namespace {

// For this process, while it lives.
class memory_limit {
public:
    explicit memory_limit(rlim_t bytes) {
        BOOST_REQUIRE(::getrlimit(RLIMIT_MEMLOCK, &before_) == 0);
        const rlimit lower{bytes, before_.rlim_max};
        BOOST_REQUIRE(::setrlimit(RLIMIT_MEMLOCK, &lower) == 0);
    }
    ~memory_limit() { (void)::setrlimit(RLIMIT_MEMLOCK, &before_); }
    memory_limit(const memory_limit&) = delete;
    memory_limit& operator=(const memory_limit&) = delete;

private:
    rlimit before_{};
};

} // namespace

BOOST_AUTO_TEST_SUITE(locked_memory)

BOOST_AUTO_TEST_CASE(old_kernels_count_maps) {
    using ctflow::host::bpf_is_locked_memory;
    BOOST_TEST(bpf_is_locked_memory("5.8.0"));
    BOOST_TEST(bpf_is_locked_memory("5.10.0-46-cloud-amd64"));
    BOOST_TEST(!bpf_is_locked_memory("5.11.0"));
    BOOST_TEST(!bpf_is_locked_memory("6.1.0"));
    BOOST_TEST(!bpf_is_locked_memory("mine"));
}

BOOST_AUTO_TEST_CASE(the_limit_is_told_as_the_shell_tells_it) {
    const memory_limit some(48 * 1024);
    BOOST_TEST(ctflow::host::locked_memory_limit() == "ulimit -l is 48");
}

BOOST_AUTO_TEST_CASE(rings_have_a_size_that_may_be_had) {
    using ctflow::host::default_buffer_pages;
    using ctflow::host::with_sizes;
    BOOST_TEST(default_buffer_pages(true) == 64U);
    BOOST_TEST(default_buffer_pages(false) == 256U);
    const auto by_default = with_sizes({}).buffer_pages;
    BOOST_TEST(by_default == default_buffer_pages(ctflow::host::rings_are_limited()));
    ctflow::config c;
    c.buffer_pages = 8;
    BOOST_TEST(with_sizes(c).buffer_pages == 8U);
}

BOOST_AUTO_TEST_SUITE_END()
