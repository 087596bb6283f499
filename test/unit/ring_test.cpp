// SPDX-License-Identifier: Apache-2.0
#include "transport/ring.hpp"
#include "unit/ring_bytes.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace {

using ctflow::event;
using ctflow::event_kind;
using ctflow::trailer_pool;
using ctflow::test::same;
using ctflow::test::some_record;
using ctflow::test::some_trailer;
using ctflow::transport::read_ring;
using ctflow::transport::ring_pass;

// Of perf_event_open(2); written out here so that the tests do not share a mistake.
constexpr std::uint32_t type_lost = 2;
constexpr std::uint32_t type_throttle = 5;
constexpr std::uint32_t type_sample = 9;

// The kernel pads size field and data together to 8 bytes: 4 + 104 become 112, of which the size
// field does not count itself.
constexpr std::uint32_t kernel_raw_size = 108;
constexpr std::uint16_t kernel_sample_size = 8 + 4 + 108;
constexpr std::uint16_t lost_size = 8 + 16;

// Sizes of records, to try one after the other.
using sizes = std::initializer_list<std::uint16_t>;

class test_ring : public ctflow::test::ring_bytes {
public:
    using ring_bytes::ring_bytes;

    void put_header(std::uint32_t type, std::uint16_t size) {
        put(type);
        put(std::uint16_t{0}); // misc
        put(size);
    }

    void fill(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            put(std::byte{0xee});
        }
    }

    void put_sample(const ctflow_record& record, std::uint32_t raw_size = kernel_raw_size,
                    std::uint16_t size = kernel_sample_size) {
        const auto end = head + size;
        put_header(type_sample, size);
        put(raw_size);
        put(record);
        fill(static_cast<std::size_t>(end - head));
    }

    void put_lost(std::uint64_t lost) {
        put_header(type_lost, lost_size);
        put(std::uint64_t{0x1111111111111111}); // The id of the event.
        put(lost);
    }

    // Some other record: a header and what it says to come after.
    void put_other(std::uint32_t type, std::uint16_t size) {
        put_header(type, size);
        fill(size - std::size_t{8});
    }

    // What follows the record, and the kernel's padding: 4 + 104 + n is a multiple of 8, but for 4.
    void put_sample(const ctflow_record& record, std::span<const std::byte> behind) {
        const auto raw = static_cast<std::uint32_t>(104 + behind.size() + 4);
        put_header(type_sample, static_cast<std::uint16_t>(8 + 4 + raw));
        put(raw);
        put(record);
        for (const auto byte : behind) {
            put(byte);
        }
        fill(4);
    }

    ring_pass read(std::span<event> out, event_kind kind = event_kind::update) const {
        return read_ring(memory(), head, tail, kind, trailers, out);
    }
};

// One malformed record, and nothing left to read.
void check_given_up(const ring_pass& pass, const test_ring& ring, std::size_t events_before = 0) {
    BOOST_TEST(pass.events == events_before);
    BOOST_TEST(pass.malformed == 1U);
    BOOST_TEST(pass.lost == 0U);
    BOOST_TEST(pass.tail == ring.head);
}

} // namespace

BOOST_AUTO_TEST_SUITE(ring)

BOOST_AUTO_TEST_CASE(an_empty_ring_has_nothing_and_leaves_the_tail) {
    const test_ring ring(256, 4096);
    std::vector<event> out(4);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 0U);
    BOOST_TEST(pass.lost == 0U);
    BOOST_TEST(pass.malformed == 0U);
    BOOST_TEST(pass.tail == 4096U);
}

BOOST_AUTO_TEST_CASE(a_sample_as_the_kernel_sends_it_becomes_an_event_byte_for_byte) {
    test_ring ring(256);
    const auto record = some_record(0x40);
    ring.put_sample(record);
    BOOST_REQUIRE(ring.head == 120U);

    std::vector<event> out(4);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 1U);
    BOOST_TEST(pass.lost == 0U);
    BOOST_TEST(pass.malformed == 0U);
    BOOST_TEST(pass.tail == ring.head);
    BOOST_TEST(same(out[0], record));
    BOOST_TEST(same(out[1], ctflow_record{})); // No more was written than reported.
}

BOOST_AUTO_TEST_CASE(a_sample_is_read_wherever_it_wraps_around) {
    // The kernel begins records at every eighth byte; that it works at every single one splits
    // header, size field and record at each possible place.
    for (std::uint64_t start = 0; start < 128; ++start) {
        BOOST_TEST_CONTEXT("start " << start) {
            test_ring ring(128, 1024 + start);
            const auto record = some_record(static_cast<unsigned char>(start));
            ring.put_sample(record);
            std::vector<event> out(1);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 1U);
            BOOST_TEST(pass.malformed == 0U);
            BOOST_TEST(pass.tail == ring.head);
            BOOST_TEST(same(out[0], record));
        }
    }
}

BOOST_AUTO_TEST_CASE(two_samples_and_a_lost_record_are_read_wherever_they_wrap_around) {
    for (std::uint64_t start = 0; start < 512; start += 8) {
        BOOST_TEST_CONTEXT("start " << start) {
            test_ring ring(512, start);
            ring.put_sample(some_record(1));
            ring.put_lost(0x0102030405060708);
            ring.put_sample(some_record(2));
            std::vector<event> out(2);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 2U);
            BOOST_TEST(pass.lost == 0x0102030405060708U);
            BOOST_TEST(pass.malformed == 0U);
            BOOST_TEST(pass.tail == ring.head);
            BOOST_TEST(same(out[0], some_record(1)));
            BOOST_TEST(same(out[1], some_record(2)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_lost_record_is_read_wherever_it_wraps_around) {
    for (std::uint64_t start = 0; start < 32; ++start) {
        BOOST_TEST_CONTEXT("start " << start) {
            test_ring ring(32, start);
            ring.put_lost(0xa1a2a3a4a5a6a7a8);
            std::vector<event> out(1);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.lost == 0xa1a2a3a4a5a6a7a8U);
            BOOST_TEST(pass.malformed == 0U);
            BOOST_TEST(pass.tail == ring.head);
        }
    }
}

BOOST_AUTO_TEST_CASE(several_samples_come_in_their_order) {
    test_ring ring(2048, 4000);
    for (unsigned char i = 0; i < 17; ++i) {
        ring.put_sample(some_record(i));
    }
    std::vector<event> out(32);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 17U);
    BOOST_TEST(pass.tail == ring.head);
    for (unsigned char i = 0; i < 17; ++i) {
        BOOST_TEST(same(out[i], some_record(i)));
    }
}

BOOST_AUTO_TEST_CASE(a_ring_filled_to_its_last_byte_is_read_whole) {
    for (std::uint64_t start = 0; start < 128; start += 8) {
        test_ring ring(128, start);
        ring.put_sample(some_record(7));
        ring.put_other(type_throttle, 8);
        BOOST_REQUIRE(ring.head - ring.tail == 128U);
        std::vector<event> out(2);
        const auto pass = ring.read(out);
        BOOST_TEST(pass.events == 1U);
        BOOST_TEST(pass.malformed == 0U);
        BOOST_TEST(pass.tail == ring.head);
        BOOST_TEST(same(out[0], some_record(7)));
    }
}

BOOST_AUTO_TEST_CASE(a_full_output_stops_early_and_the_next_pass_continues_there) {
    test_ring ring(1024, 920);
    for (unsigned char i = 0; i < 5; ++i) {
        ring.put_sample(some_record(i));
    }
    ring.put_lost(9);

    std::vector<event> out(2);
    auto pass = ring.read(out);
    BOOST_TEST(pass.events == 2U);
    BOOST_TEST(pass.tail == ring.tail + 2 * std::uint64_t{kernel_sample_size});
    BOOST_TEST(pass.lost == 0U);
    BOOST_TEST(same(out[0], some_record(0)));
    BOOST_TEST(same(out[1], some_record(1)));

    ring.tail = pass.tail;
    pass = ring.read(out);
    BOOST_TEST(pass.events == 2U);
    BOOST_TEST(same(out[0], some_record(2)));
    BOOST_TEST(same(out[1], some_record(3)));

    ring.tail = pass.tail;
    pass = ring.read(out);
    BOOST_TEST(pass.events == 1U);
    BOOST_TEST(pass.lost == 9U);
    BOOST_TEST(pass.tail == ring.head);
    BOOST_TEST(same(out[0], some_record(4)));
    BOOST_TEST(same(out[1], some_record(3))); // Of the pass before: untouched.
}

BOOST_AUTO_TEST_CASE(without_room_for_an_event_nothing_is_taken) {
    test_ring ring(256);
    ring.put_sample(some_record(1));
    const auto pass = ring.read({});
    BOOST_TEST(pass.events == 0U);
    BOOST_TEST(pass.malformed == 0U);
    BOOST_TEST(pass.tail == ring.tail);
}

BOOST_AUTO_TEST_CASE(what_the_kernel_lost_is_added_up) {
    test_ring ring(512);
    ring.put_lost(3);
    ring.put_sample(some_record(1));
    ring.put_lost(40);
    ring.put_lost(0x100000000);
    std::vector<event> out(4);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 1U);
    BOOST_TEST(pass.lost == 0x10000002bU);
    BOOST_TEST(pass.malformed == 0U);
    BOOST_TEST(pass.tail == ring.head);
}

BOOST_AUTO_TEST_CASE(records_of_types_that_nobody_asked_for_are_passed_over) {
    for (const std::uint32_t type : {0U, 1U, 3U, type_throttle, 6U, 10U, 0x10009U, 0xffffffffU}) {
        for (const auto size : sizes{8, 16, 24, 120}) {
            BOOST_TEST_CONTEXT("type " << type << ", size " << size) {
                test_ring ring(512, 440);
                ring.put_sample(some_record(1));
                ring.put_other(type, size);
                ring.put_sample(some_record(2));
                std::vector<event> out(4);
                const auto pass = ring.read(out);
                BOOST_TEST(pass.events == 2U);
                BOOST_TEST(pass.lost == 0U);
                BOOST_TEST(pass.malformed == 0U);
                BOOST_TEST(pass.tail == ring.head);
                BOOST_TEST(same(out[1], some_record(2)));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_sample_with_less_than_a_record_is_malformed_and_others_go_on) {
    for (const std::uint32_t raw_size : {0U, 1U, 4U, 100U, 103U}) {
        BOOST_TEST_CONTEXT("raw size " << raw_size) {
            test_ring ring(512);
            ring.put_sample(some_record(1), raw_size);
            ring.put_sample(some_record(2));
            std::vector<event> out(4);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 1U);
            BOOST_TEST(pass.malformed == 1U);
            BOOST_TEST(pass.tail == ring.head);
            BOOST_TEST(same(out[0], some_record(2)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_sample_may_be_padded_not_at_all_or_more) {
    struct {
        std::uint32_t raw_size;
        std::uint16_t size;
    } const cases[] = {{104, 120}, {108, 120}, {116, 128}, {204, 216}};
    for (const auto& c : cases) {
        BOOST_TEST_CONTEXT("raw size " << c.raw_size) {
            test_ring ring(512);
            ring.put_sample(some_record(1), c.raw_size, c.size);
            ring.put_sample(some_record(2));
            std::vector<event> out(4);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 2U);
            BOOST_TEST(pass.malformed == 0U);
            BOOST_TEST(same(out[0], some_record(1)));
            BOOST_TEST(same(out[1], some_record(2)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_sample_whose_header_leaves_no_room_for_a_record_is_malformed) {
    // The raw size promises what the header's size has no room for: believing it would take the
    // next record's bytes for this one's.
    for (const auto size : sizes{16, 24, 104, 112}) {
        BOOST_TEST_CONTEXT("size " << size) {
            test_ring ring(512);
            ring.put_header(type_sample, size);
            ring.put(kernel_raw_size);
            // Kind 1 wherever the record's kind may be looked for.
            while (ring.head < size) {
                ring.put(std::byte{1});
            }
            ring.put_sample(some_record(2));
            std::vector<event> out(4);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 1U);
            BOOST_TEST(pass.malformed == 1U);
            BOOST_TEST(pass.tail == ring.head);
            BOOST_TEST(same(out[0], some_record(2)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_sample_that_is_all_header_is_malformed) {
    test_ring ring(512);
    ring.put_header(type_sample, 8);
    // What comes next would do for a raw size and a record: it is not part of the sample.
    ring.put_header(kernel_raw_size, 128);
    while (ring.head < 8 + 128) {
        ring.put(std::byte{1});
    }
    std::vector<event> out(4);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 0U);
    BOOST_TEST(pass.malformed == 1U);
    BOOST_TEST(pass.tail == ring.head);
}

BOOST_AUTO_TEST_CASE(a_truncated_lost_record_is_malformed_and_counts_nothing) {
    for (const auto size : sizes{8, 16}) {
        BOOST_TEST_CONTEXT("size " << size) {
            test_ring ring(512);
            ring.put_other(type_lost, size);
            ring.put_sample(some_record(2));
            std::vector<event> out(4);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 1U);
            BOOST_TEST(pass.lost == 0U);
            BOOST_TEST(pass.malformed == 1U);
            BOOST_TEST(pass.tail == ring.head);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_longer_lost_record_counts_as_any) {
    test_ring ring(256);
    ring.put_header(type_lost, 32); // As with sample_id_all, which puts more at the end.
    ring.put(std::uint64_t{1});
    ring.put(std::uint64_t{5});
    ring.put(std::uint64_t{1000});
    std::vector<event> out(1);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.lost == 5U);
    BOOST_TEST(pass.malformed == 0U);
    BOOST_TEST(pass.tail == ring.head);
}

BOOST_AUTO_TEST_CASE(what_follows_a_record_is_read_wherever_it_wraps_around) {
    const auto trailer = some_trailer(0x5a);
    for (std::uint64_t start = 0; start < 512; start += 1) {
        BOOST_TEST_CONTEXT("start " << start) {
            test_ring ring(512, 4096 + start);
            ring.put_sample(some_record(1), std::as_bytes(std::span(&trailer, 1)));
            ring.put_sample(some_record(2));
            std::vector<event> out(2);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 2U);
            BOOST_TEST(pass.tail == ring.head);
            BOOST_TEST(same(out[0], some_record(1), trailer));
            BOOST_TEST(same(out[1], some_record(2)));
            BOOST_TEST(!out[1].has_details());
            BOOST_TEST(!out[1].duration());
        }
    }
}

BOOST_AUTO_TEST_CASE(of_a_plain_end_that_is_its_duration) {
    const std::uint64_t duration = 123'456'789;
    test_ring ring(512);
    ring.put_sample(some_record(1, event_kind::destroy), std::as_bytes(std::span(&duration, 1)));
    std::vector<event> out(1);
    BOOST_TEST(ring.read(out, event_kind::destroy).events == 1U);
    BOOST_TEST(same(out[0], some_record(1, event_kind::destroy)));
    BOOST_TEST(!out[0].has_details());
    BOOST_REQUIRE(out[0].duration());
    BOOST_TEST(out[0].duration()->count() == 123'456'789);
}

BOOST_AUTO_TEST_CASE(each_ring_takes_its_own_kind_alone) {
    for (const auto wanted : {event_kind::update, event_kind::destroy}) {
        const unsigned reasons = wanted == event_kind::destroy ? CTFLOW_END_EVICTED : 0;
        for (unsigned byte = 0; byte < 256; ++byte) {
            const unsigned kind = byte & 0xf;
            const unsigned reason = byte >> 4;
            const bool right = kind == static_cast<unsigned>(wanted) && reason <= reasons;
            test_ring ring(128);
            auto record = some_record(1, static_cast<event_kind>(kind));
            record.end_reason = reason & 0xf;
            ring.put_sample(record);
            std::vector<event> out(1);
            const auto pass = ring.read(out, wanted);
            BOOST_TEST(pass.events == (right ? 1U : 0U));
            BOOST_TEST(pass.malformed == (right ? 0U : 1U));
            BOOST_TEST(pass.tail == ring.head);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_record_of_no_ip_family_is_malformed) {
    for (unsigned family = 0; family < 256; ++family) {
        const bool right = family == 2 || family == 10;
        auto record = some_record(1);
        record.family = static_cast<unsigned char>(family);
        test_ring ring(128);
        ring.put_sample(record);
        std::vector<event> out(1);
        const auto pass = ring.read(out);
        BOOST_TEST(pass.events == (right ? 1U : 0U));
        BOOST_TEST(pass.malformed == (right ? 0U : 1U));
        BOOST_TEST(pass.tail == ring.head);
    }
}

BOOST_AUTO_TEST_CASE(many_malformed_records_are_each_counted) {
    test_ring ring(1024);
    ring.put_sample(some_record(1), 4);
    ring.put_sample(some_record(2, event_kind::destroy));
    ring.put_other(type_lost, 8);
    ring.put_sample(some_record(3));
    std::vector<event> out(4);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 1U);
    BOOST_TEST(pass.malformed == 3U);
    BOOST_TEST(pass.tail == ring.head);
    BOOST_TEST(same(out[0], some_record(3)));
}

BOOST_AUTO_TEST_CASE(a_record_size_that_cannot_be_ends_the_pass) {
    // Zero, less than a header, no multiple of 8, and more than there is.
    for (const auto size : sizes{0, 1, 4, 7, 9, 12, 116, 119, 121, 124, 128, 256, 0xfff8}) {
        for (const auto type : {type_sample, type_lost, type_throttle}) {
            for (std::uint64_t start : {0U, 64U, 192U, 248U}) {
                BOOST_TEST_CONTEXT("size " << size << ", type " << type << ", start " << start) {
                    test_ring ring(256, start);
                    ring.put_header(type, size);
                    ring.put(kernel_raw_size);
                    ring.put(some_record(1));
                    ring.fill(4);
                    std::vector<event> out(2);
                    check_given_up(ring.read(out), ring);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_came_before_broken_framing_is_kept) {
    test_ring ring(512, 400);
    ring.put_sample(some_record(1));
    ring.put_header(type_sample, 0);
    ring.put_sample(some_record(2));
    std::vector<event> out(4);
    check_given_up(ring.read(out), ring, 1);
    BOOST_TEST(same(out[0], some_record(1)));
    BOOST_TEST(same(out[1], ctflow_record{}));
}

BOOST_AUTO_TEST_CASE(a_rest_too_short_for_a_header_ends_the_pass) {
    for (std::uint64_t rest = 1; rest < 8; ++rest) {
        test_ring ring(256);
        ring.put_sample(some_record(1));
        ring.put_header(type_throttle, 8); // Valid, were it not cut off.
        ring.head = kernel_sample_size + rest;
        std::vector<event> out(4);
        check_given_up(ring.read(out), ring, 1);
    }
}

BOOST_AUTO_TEST_CASE(positions_further_apart_than_the_ring_is_long_end_the_pass) {
    for (const std::uint64_t beyond :
         {std::uint64_t{1}, std::uint64_t{8}, std::uint64_t{256}, std::uint64_t{1} << 32,
          std::numeric_limits<std::uint64_t>::max() - 256}) {
        BOOST_TEST_CONTEXT("beyond " << beyond) {
            test_ring ring(256);
            ring.put_sample(some_record(1));
            ring.head = ring.tail + 256 + beyond;
            std::vector<event> out(4);
            check_given_up(ring.read(out), ring);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_head_behind_the_tail_ends_the_pass) {
    for (const std::uint64_t behind : {1U, 8U, 120U, 256U, 4096U}) {
        BOOST_TEST_CONTEXT("behind " << behind) {
            test_ring ring(256, 8192);
            ring.put_sample(some_record(1));
            ring.head = ring.tail - behind;
            std::vector<event> out(4);
            check_given_up(ring.read(out), ring);
        }
    }
}

BOOST_AUTO_TEST_CASE(positions_wrap_around_at_the_end_of_64_bits) {
    for (std::uint64_t before = 0; before <= 256; before += 8) {
        BOOST_TEST_CONTEXT("tail at 2^64 - " << before) {
            test_ring ring(256, std::uint64_t{0} - before);
            ring.put_sample(some_record(1));
            ring.put_sample(some_record(2));
            std::vector<event> out(2);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 2U);
            BOOST_TEST(pass.malformed == 0U);
            BOOST_TEST(pass.tail == ring.head);
            BOOST_TEST(pass.tail == 240 - before);
            BOOST_TEST(same(out[0], some_record(1)));
            BOOST_TEST(same(out[1], some_record(2)));
        }
    }
}

BOOST_AUTO_TEST_CASE(whatever_the_memory_holds_reading_ends_inside_of_it) {
    std::mt19937_64 random(20210521);
    const auto below = [&](std::uint64_t n) {
        return random() % n;
    };

    constexpr std::array<std::uint16_t, 12> good_sizes = {8,   16,  24,  24,  32,  104,
                                                          112, 120, 120, 120, 120, 128};
    constexpr std::array<std::uint16_t, 6> bad_sizes = {0, 4, 7, 116, 121, 0xfff8};
    constexpr std::array<std::uint32_t, 12> raw_sizes = {0,   4,   100, 103, 104, 108,
                                                         108, 108, 112, 200, 256, 0xffffffff};
    constexpr std::array<std::uint32_t, 8> types = {
        type_sample, type_sample, type_sample, type_lost, 0, type_throttle, 0xffffffff, 1};

    std::uint64_t all_events = 0;
    std::uint64_t all_lost_records = 0;
    std::uint64_t all_malformed = 0;
    for (int round = 0; round < 200'000; ++round) {
        std::vector<std::byte> data(std::size_t{8} << below(9)); // 8 to 2048 bytes.
        for (std::size_t i = 0; i < data.size(); i += 8) {
            const auto word = random();
            std::memcpy(&data[i], &word, 8);
        }
        const auto put = [&](std::uint64_t at, const auto& value) {
            std::array<std::byte, sizeof(value)> bytes;
            std::memcpy(bytes.data(), &value, sizeof(value));
            for (const auto b : bytes) {
                data[at++ % data.size()] = b;
            }
        };

        // Mostly sensible positions, some near the end of 64 bits, some garbage.
        const auto tail = below(4) == 0 ? std::uint64_t{0} - below(2048) : below(1 << 20) * 8;
        auto head = tail + below(data.size() / 8 + 1) * 8;
        if (below(16) == 0) {
            head = below(2) == 0 ? random() : tail + below(4 * data.size()) - data.size();
        }
        auto kind = event_kind::update;
        auto other = event_kind::destroy;
        if (below(2) == 0) {
            std::swap(kind, other);
        }

        // A chain of plausible records over the whole ring, once around and no further.
        for (std::uint64_t at = 0; at + 8 <= data.size();) {
            const auto size = below(32) != 0  ? good_sizes[below(good_sizes.size())]
                              : below(2) != 0 ? bad_sizes[below(bad_sizes.size())]
                                              : static_cast<std::uint16_t>(random());
            put(tail + at, types[below(types.size())]);
            put(tail + at + 6, size);
            if (at + 12 <= data.size()) {
                put(tail + at + 8, raw_sizes[below(raw_sizes.size())]);
            }
            if (size >= 120 && at + 120 <= data.size()) {
                put(tail + at + 12 + 101,
                    static_cast<std::uint8_t>(below(4) != 0 ? 2 : below(256)));
                put(tail + at + 12 + 102, static_cast<std::uint8_t>(below(4) != 0 ? kind : other));
            }
            if (size == 0) {
                break;
            }
            at += size;
        }

        std::vector<event> out(1 + below(4));
        trailer_pool trailers;
        auto position = tail;
        bool sound = true;
        // Each pass that is not the last brings an event, of 120 bytes.
        auto passes_left = data.size() / 120 + 2;
        while (sound && position != head) {
            const auto left = head - position;
            const auto pass = read_ring(data, head, position, kind, trailers, out);
            const auto advance = pass.tail - position;
            sound = passes_left-- != 0 && advance != 0 && advance <= left &&
                    pass.events <= out.size() && (pass.tail == head || pass.events == out.size()) &&
                    pass.events * 120 <= data.size() &&
                    pass.events + pass.malformed <= data.size() / 8 &&
                    std::all_of(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(pass.events),
                                [&](const event& e) { return e.kind() == kind; });
            // Out of the question for the kernel, so nothing may be believed.
            if (left > data.size()) {
                sound = sound && pass.tail == head && pass.malformed == 1 && pass.events == 0;
            }
            position = pass.tail;
            all_events += pass.events;
            all_malformed += pass.malformed;
            all_lost_records += pass.lost != 0 ? 1 : 0;
        }
        BOOST_REQUIRE_MESSAGE(sound, "round " << round << ": ring of " << data.size()
                                              << " bytes, tail " << tail << ", head " << head);
    }
    // What was thrown at it did get past the first check.
    BOOST_TEST(all_events > 10'000U);
    BOOST_TEST(all_malformed > 10'000U);
    BOOST_TEST(all_lost_records > 10'000U);
}

BOOST_AUTO_TEST_SUITE_END()
