// SPDX-License-Identifier: Apache-2.0
#include "support/resources.hpp"

#include "support/sanitizers.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <bpf/bpf.h>
#include <malloc.h>
#include <unistd.h>

namespace ctflow::test {
namespace {

// None are counted on a machine where others' objects come and go, as its user says.
std::size_t count(int (*next)(__u32, __u32*)) {
    if (std::getenv("CTFLOW_OTHERS_USE_BPF") != nullptr) {
        return 0;
    }
    std::size_t n = 0;
    for (__u32 id = 0; next(id, &id) == 0;) {
        ++n;
    }
    return n;
}

struct first_look {
    first_look() { value = resources::now(); }
    static inline resources value;
};

// The kernel's buffers and maps in this process's memory.
std::size_t count_mappings() {
    std::ifstream maps("/proc/self/maps");
    std::size_t n = 0;
    for (std::string line; std::getline(maps, line);) {
        n += line.find("anon_inode:bpf-map") != line.npos ||
             line.find("anon_inode:[perf_event]") != line.npos;
    }
    return n;
}

// Without the kernel's buffers, whose pages are in this process's memory from their first use on:
// those of a reserve only after a burst. They are bounded, and counted as mappings.
std::size_t anonymous_kb() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("RssAnon:")) {
            return std::stoul(line.substr(8));
        }
    }
    throw std::runtime_error("no RssAnon in /proc/self/status");
}

} // namespace

BOOST_TEST_GLOBAL_FIXTURE(first_look);

resources resources::now() {
    using std::filesystem::directory_iterator;
    resources r;
    r.descriptors = static_cast<std::size_t>(
        std::distance(directory_iterator("/proc/self/fd"), directory_iterator()));
    r.mappings = count_mappings();
    r.programs = count(bpf_prog_get_next_id);
    r.maps = count(bpf_map_get_next_id);
    r.links = count(bpf_link_get_next_id);
    ::malloc_trim(0);
    r.heap_kb = anonymous_kb();
    return r;
}

const resources& resources::at_first() {
    return first_look::value;
}

void settle(const resources& before) {
    for (int i = 0; i < 400; ++i) {
        const auto now = resources::now();
        if (now.programs <= before.programs && now.maps <= before.maps &&
            now.links <= before.links) {
            return;
        }
        ::usleep(50'000);
    }
}

void check_same_in_process(const resources& before, const resources& after) {
    BOOST_TEST(after.descriptors == before.descriptors);
    BOOST_TEST(after.mappings == before.mappings);
}

void check_same_in_kernel(const resources& before, const resources& after) {
    BOOST_TEST(after.programs == before.programs);
    BOOST_TEST(after.maps == before.maps);
    BOOST_TEST(after.links == before.links);
}

void check_same(const resources& before, const resources& after) {
    check_same_in_process(before, after);
    check_same_in_kernel(before, after);
}

void check_memory(const resources& before, const resources& after, std::size_t tolerance_kb) {
#if defined(CTFLOW_TEST_WITH_ASAN) || defined(CTFLOW_TEST_WITH_TSAN)
    (void)before;
    (void)after;
    (void)tolerance_kb;
#else
    BOOST_TEST(after.heap_kb < before.heap_kb + tolerance_kb);
#endif
}

} // namespace ctflow::test
