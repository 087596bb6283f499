// SPDX-License-Identifier: Apache-2.0
//
// Records with tags. How a ring is framed is the same for all records: bpf_ring_test.cpp.
#include "netfilter_record.h"
#include "transport/bpf_ring.hpp"
#include "unit/ring_bytes.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using ctflow::event;
using ctflow::event_kind;
using ctflow::test::same;
using ctflow::test::some_record;
using ctflow::transport::read_netfilter_ring;
using ctflow::transport::record_tag;
using ctflow::transport::ring_pass;

// What bpf/netfilter_record.h comes to, written out so that the tests do not share a mistake.
constexpr std::uint32_t length = 112;
constexpr std::uint64_t whole = 8 + length;

struct test_ring : ctflow::test::ring_bytes {
    using ring_bytes::ring_bytes;

    void put_update(const ctflow_record& record, std::uint16_t zone, bool begins,
                    std::uint32_t says = length) {
        put_tagged(record, std::uint64_t{zone} | std::uint64_t{begins} << 16, says);
    }

    void put_tagged(const ctflow_record& record, std::uint64_t tag, std::uint32_t says = length) {
        put(std::uint32_t{says});
        put(std::uint32_t{0});
        put(record);
        put(tag);
    }

    void put_update(const ctflow_record& record, std::uint16_t zone,
                    const ctflow_trailer& trailer) {
        put_update(record, zone, 0, length + sizeof(trailer));
        put(trailer);
    }

    ring_pass read(std::size_t room_for_events, std::size_t room_for_tags) {
        events.assign(room_for_events, event());
        tags.assign(room_for_tags, record_tag{0xffff, true});
        return read_netfilter_ring(memory(), head, tail, trailers, events, tags);
    }

    std::vector<event> events;
    std::vector<record_tag> tags;
};

} // namespace

BOOST_AUTO_TEST_SUITE(netfilter_ring)

BOOST_AUTO_TEST_CASE(each_event_has_its_tag) {
    test_ring ring(512);
    ring.put_update(some_record(2), 0, 1);
    ring.put_update(some_record(5), 0xabcd, 0);
    const auto pass = ring.read(4, 4);
    BOOST_TEST(pass.events == 2U);
    BOOST_TEST(pass.malformed == 0U);
    BOOST_TEST(pass.tail == ring.head);
    BOOST_TEST(same(ring.events[0], some_record(2)));
    BOOST_TEST(same(ring.events[1], some_record(5)));
    BOOST_TEST(ring.tags[0].zone == 0U);
    BOOST_TEST(ring.tags[0].begins);
    BOOST_TEST(ring.tags[1].zone == 0xabcdU);
    BOOST_TEST(!ring.tags[1].begins);
    BOOST_TEST(ring.tags[2].zone == 0xffffU); // No more was written than reported.
}

BOOST_AUTO_TEST_CASE(origins_are_told_as_ages) {
    test_ring ring(512);
    auto record = some_record(2);
    record.timestamp = 5'000'123;
    ring.put_tagged(record, 0);
    ring.put_tagged(record, 1U << 17 | std::uint64_t{1000} << 19);
    record.timestamp = 3 * 1024 + 7; // Of one that counts as older than the clock.
    ring.put_tagged(record, 1U << 18 | std::uint64_t{5} << 19);
    BOOST_TEST(ring.read(3, 3).events == 3U);
    BOOST_TEST(!ring.tags[0].born);
    BOOST_TEST(!ring.tags[1].follows);
    BOOST_TEST(!ring.tags[2].born);
    BOOST_TEST(ring.tags[2].follows);
    BOOST_TEST(ring.tags[0].origin == 5'000'123U);
    BOOST_TEST(ring.tags[1].born);
    BOOST_TEST(ring.tags[1].origin == 5'000'123U - 1'024'000U);
    BOOST_TEST(ring.tags[2].origin == std::uint64_t{7} - 2 * 1024);
}

// As the kernel's side tells them, and user space finds them again.
BOOST_AUTO_TEST_CASE(an_origin_is_the_same_whenever_it_is_told) {
    for (const std::uint64_t origin : {std::uint64_t{0}, std::uint64_t{1023}, std::uint64_t{1024},
                                       std::uint64_t{123'456'789'012}, ~std::uint64_t{4'000'000}}) {
        for (const std::uint64_t later : {0U, 1U, 1000U, 1024U, 4'000'000'000U}) {
            const std::uint64_t timestamp = origin + later;
            const auto told = timestamp - (ctflow_origin_age(timestamp, origin) << 10);
            BOOST_TEST(ctflow_same_origin(told, origin));
            BOOST_TEST(!ctflow_same_origin(told, origin + 1024));
            BOOST_TEST(!ctflow_same_origin(told, origin - 1024));
        }
    }
}

BOOST_AUTO_TEST_CASE(they_are_read_wherever_they_wrap_around) {
    for (std::uint64_t start = 0; start < 256; start += 8) {
        test_ring ring(256, 1024 + start);
        ring.put_update(some_record(3), 7, 1);
        ring.put_update(some_record(8), 9, 0);
        BOOST_TEST_CONTEXT("start " << start) {
            BOOST_TEST(ring.read(2, 2).events == 2U);
            BOOST_TEST(same(ring.events[1], some_record(8)));
            BOOST_TEST(ring.tags[0].zone == 7U);
            BOOST_TEST(ring.tags[1].zone == 9U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_trailer_follows_the_tag) {
    test_ring ring(1024);
    const auto trailer = ctflow::test::some_trailer(0x33);
    ring.put_update(some_record(2), 7, trailer);
    ring.put_update(some_record(5), 8, 0);
    const auto pass = ring.read(4, 4);
    BOOST_TEST(pass.events == 2U);
    BOOST_TEST(pass.tail == ring.head);
    BOOST_TEST(same(ring.events[0], some_record(2), trailer));
    BOOST_TEST(ring.tags[0].zone == 7U);
    BOOST_TEST(!ring.events[1].has_details());
    BOOST_TEST(ring.tags[1].zone == 8U);
}

BOOST_AUTO_TEST_CASE(the_shorter_of_the_two_spans_counts) {
    for (const bool few_tags : {true, false}) {
        test_ring ring(512);
        ring.put_update(some_record(1), 1, 0);
        ring.put_update(some_record(2), 2, 0);
        const auto pass = few_tags ? ring.read(2, 1) : ring.read(1, 2);
        BOOST_TEST(pass.events == 1U);
        BOOST_TEST(pass.tail == whole);
    }
}

BOOST_AUTO_TEST_CASE(a_record_without_a_tag_is_malformed) {
    test_ring ring(512);
    ring.put_update(some_record(1), 1, 0, length - 8);
    ring.head -= 8; // Its length is what it says.
    ring.put_update(some_record(2), 2, 0);
    const auto pass = ring.read(2, 2);
    BOOST_TEST(pass.malformed == 1U);
    BOOST_REQUIRE(pass.events == 1U);
    BOOST_TEST(same(ring.events[0], some_record(2)));
    BOOST_TEST(ring.tags[0].zone == 2U);
    BOOST_TEST(pass.tail == ring.head);
}

BOOST_AUTO_TEST_CASE(an_end_is_none_of_theirs_to_tell) {
    test_ring ring(512);
    ring.put_update(some_record(2, event_kind::destroy), 0, 0);
    const auto pass = ring.read(2, 2);
    BOOST_TEST(pass.events == 0U);
    BOOST_TEST(pass.malformed == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
