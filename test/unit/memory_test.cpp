// SPDX-License-Identifier: Apache-2.0
#include "host/memory.hpp"

#include <boost/test/unit_test.hpp>

using ctflow::transport_kind;
using namespace ctflow::host;

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(available_memory_is_found_in_meminfo) {
    BOOST_TEST(parse_available_memory("MemTotal:         24105 kB\nMemFree:          1 kB\n"
                                      "MemAvailable:       22517 kB\nBuffers: 1 kB\n")
                   .value() == 22517U * 1024);
    for (const char* text : {"", "MemTotal: 5 kB\n", "MemAvailable:", "MemAvailable:   \n",
                             "MemAvailable: kB\n", "MemAvailable: -5 kB\n"}) {
        BOOST_TEST_CONTEXT('"' << text << '"') {
            BOOST_TEST(!parse_available_memory(text).has_value());
        }
    }
    BOOST_TEST(available_memory().value() > 0U);
}

BOOST_AUTO_TEST_CASE(a_flow_table_has_its_entries_and_the_words_of_its_cooldowns) {
    BOOST_TEST(flow_table_bytes({1}) == 89U + 65536 * 8);
    BOOST_TEST(flow_table_bytes({65535}) == 65535U * 89 + 65536 * 8);
    BOOST_TEST(flow_table_bytes({65536}) == 65536U * 89 + 131072 * 8);
    BOOST_TEST(flow_table_bytes({1U << 26}) == (std::uint64_t{1} << 26) * 89 + (8ULL << 27));
    BOOST_TEST(flow_table_bytes({65536, true}) == 65536U * 194 + 131072 * 8);
    BOOST_TEST(flow_table_bytes({65536, false, true}) == 65536U * 210 + 131072 * 8);
    BOOST_TEST(flow_table_need({1U << 26}) ==
               "a table of 67108864 flows needs about 6720 MiB of kernel memory");
}

BOOST_AUTO_TEST_CASE(what_is_kept_of_flows_is_up_to_how_they_are_watched) {
    ctflow::config c;
    c.max_flows = 7;
    BOOST_TEST(kept_flows_of(c, false).max_flows == 7U);
    for (const bool netfilter : {false, true}) {
        BOOST_TEST(!kept_flows_of(c, netfilter).processes);
        BOOST_TEST(!kept_flows_of(c, netfilter).unreported);
    }
    c.processes = true;
    BOOST_TEST(kept_flows_of(c, false).processes);
    BOOST_TEST(!kept_flows_of(c, true).processes);
    auto filtered = c;
    filtered.filter.emplace();
    c.curve0.age = std::chrono::seconds(1);
    for (const auto& each : {filtered, c}) {
        BOOST_TEST(!kept_flows_of(each, false).unreported);
        BOOST_TEST(kept_flows_of(each, true).unreported);
    }
}

BOOST_AUTO_TEST_CASE(rings_are_two_for_each_cpu) {
    const auto perf = transport_kind::perf_buffer;
    BOOST_TEST(ring_bytes(perf, 64, {1, 4096}) == 65U * 4096 * 2);
    BOOST_TEST(ring_bytes(perf, 65536, {64, 65536}) == 65537ULL * 65536 * 128);
    BOOST_TEST(ring_excess(perf, 65536, {1024, 65536}).empty());
    BOOST_TEST(
        ring_need(perf, 65536, {2, 4096}) ==
        "perf buffers of 65536 pages need 1025 MiB of kernel memory: two for each of 2 CPUs");
    BOOST_TEST(this_machine().cpus >= 1U);
    BOOST_TEST(this_machine().page_size >= 4096U);
}

BOOST_AUTO_TEST_CASE(ring_buffers_are_two_that_all_cpus_share) {
    BOOST_TEST(shared_ring_size(64, {1, 4096}) == 64U * 4096);
    BOOST_TEST(shared_ring_size(64, {2, 4096}) == 128U * 4096);
    BOOST_TEST(shared_ring_size(64, {3, 4096}) == 256U * 4096); // A power of two.
    BOOST_TEST(shared_ring_size(1, {1, 65536}) == 65536U);

    const auto ring = transport_kind::ring_buffer;
    BOOST_TEST(ring_bytes(ring, 64, {3, 4096}) == 259U * 4096 * 2);
    BOOST_TEST(
        ring_need(ring, 65536, {2, 4096}) ==
        "ring buffers of 65536 pages for each CPU need 1025 MiB of kernel memory: two for all of "
        "2 CPUs");
    BOOST_TEST(ring_excess(ring, 65536, {8, 4096}).empty()); // 2 GiB.
    BOOST_TEST(ring_excess(ring, 65536, {9, 4096}) ==
               "a ring buffer with 65536 pages for each of 9 CPUs comes to 4096 MiB, and 2048 MiB "
               "is the kernel's limit");
}

BOOST_AUTO_TEST_CASE(a_reserve_is_one_for_all_cpus) {
    BOOST_TEST(reserve_bytes(1024, {8, 4096}) == 1027U * 4096);
    BOOST_TEST(reserve_bytes(16384, {1, 65536}) == 16387ULL * 65536);
    BOOST_TEST(reserve_need(1024, {2, 4096}) ==
               "a reserve of 1024 pages needs 5 MiB of kernel memory");
}

BOOST_AUTO_TEST_CASE(mebibytes_are_rounded_up) {
    BOOST_TEST(mebibytes(0) == "0 MiB");
    BOOST_TEST(mebibytes(1) == "1 MiB");
    BOOST_TEST(mebibytes(1 << 20) == "1 MiB");
    BOOST_TEST(mebibytes((1 << 20) + 1) == "2 MiB");
}

BOOST_AUTO_TEST_SUITE_END()
