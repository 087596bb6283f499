// SPDX-License-Identifier: Apache-2.0
#include "transport/bpf_ring.hpp"
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
using ctflow::transport::read_bpf_ring;
using ctflow::transport::ring_pass;

// Of uapi/linux/bpf.h; written out here so that the tests do not share a mistake.
constexpr std::uint32_t busy = 1U << 31;
constexpr std::uint32_t discarded = 1U << 30;
constexpr std::uint64_t header = 8;
constexpr std::uint64_t whole = header + 104; // What a record of ours takes.

class test_ring : public ctflow::test::ring_bytes {
public:
    using ring_bytes::ring_bytes;

    void put_header(std::uint32_t word) {
        put(word);
        put(std::uint32_t{0x77777777}); // pg_off, the kernel's own.
    }

    // And what is missing to the next multiple of 8.
    void fill(std::uint64_t count) {
        for (std::uint64_t i = 0; i < count || head % 8 != 0; ++i) {
            put(std::byte{0xee});
        }
    }

    // With so many bytes behind it.
    void put_record(const ctflow_record& record, std::uint32_t more = 0, std::uint32_t flags = 0) {
        put_header((104 + more) | flags);
        put(record);
        fill(more);
    }

    // Some record that is none of ours.
    void put_other(std::uint32_t length, std::uint32_t flags = 0) {
        put_header(length | flags);
        fill(length);
    }

    void put_record(const ctflow_record& record, std::span<const std::byte> behind) {
        put_header(static_cast<std::uint32_t>(104 + behind.size()));
        put(record);
        for (const auto byte : behind) {
            put(byte);
        }
    }

    ring_pass read(std::span<event> out, event_kind kind = event_kind::update) const {
        return read_bpf_ring(memory(), head, tail, kind, trailers, out);
    }
};

// One malformed record, and nothing left to read.
void check_given_up(const ring_pass& pass, const test_ring& ring, std::size_t events_before = 0) {
    BOOST_TEST(pass.events == events_before);
    BOOST_TEST(pass.malformed == 1U);
    BOOST_TEST(pass.tail == ring.head);
    BOOST_TEST(!pass.unfinished);
}

} // namespace

BOOST_AUTO_TEST_SUITE(bpf_ring)

BOOST_AUTO_TEST_CASE(an_empty_ring_has_nothing_and_leaves_the_tail) {
    const test_ring ring(256, 4096);
    std::vector<event> out(4);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 0U);
    BOOST_TEST(pass.malformed == 0U);
    BOOST_TEST(pass.tail == 4096U);
    BOOST_TEST(!pass.unfinished);
}

BOOST_AUTO_TEST_CASE(a_record_becomes_an_event_byte_for_byte) {
    test_ring ring(256);
    const auto record = some_record(0x40);
    ring.put_record(record);
    BOOST_REQUIRE(ring.head == whole);

    std::vector<event> out(4);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 1U);
    BOOST_TEST(pass.lost == 0U);
    BOOST_TEST(pass.malformed == 0U);
    BOOST_TEST(pass.tail == ring.head);
    BOOST_TEST(!pass.unfinished);
    BOOST_TEST(same(out[0], record));
    BOOST_TEST(same(out[1], ctflow_record{})); // No more was written than reported.
}

BOOST_AUTO_TEST_CASE(records_are_read_wherever_they_wrap_around) {
    for (std::uint64_t start = 0; start < 256; start += 8) {
        BOOST_TEST_CONTEXT("start " << start) {
            test_ring ring(256, 1024 + start);
            ring.put_record(some_record(1));
            ring.put_other(3, discarded);
            ring.put_record(some_record(2));
            std::vector<event> out(2);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 2U);
            BOOST_TEST(pass.malformed == 0U);
            BOOST_TEST(pass.tail == ring.head);
            BOOST_TEST(same(out[0], some_record(1)));
            BOOST_TEST(same(out[1], some_record(2)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_ring_filled_to_its_last_byte_is_read_whole) {
    for (std::uint64_t start = 0; start < 128; start += 8) {
        test_ring ring(128, start);
        ring.put_record(some_record(7));
        ring.put_other(8, discarded);
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
        ring.put_record(some_record(i));
    }
    std::vector<event> out(2);
    for (unsigned char i = 0; i < 4; i += 2) {
        const auto pass = ring.read(out);
        BOOST_TEST(pass.events == 2U);
        BOOST_TEST(pass.tail == ring.tail + 2 * whole);
        BOOST_TEST(!pass.unfinished);
        BOOST_TEST(same(out[0], some_record(i)));
        BOOST_TEST(same(out[1], some_record(static_cast<unsigned char>(i + 1))));
        ring.tail = pass.tail;
    }
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 1U);
    BOOST_TEST(pass.tail == ring.head);
    BOOST_TEST(same(out[0], some_record(4)));
}

BOOST_AUTO_TEST_CASE(a_record_that_is_being_written_ends_the_pass_and_nothing_is_skipped) {
    test_ring ring(512, 400);
    ring.put_record(some_record(1));
    ring.put_record(some_record(2), 0, busy);
    ring.put_record(some_record(3));
    std::vector<event> out(4);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 1U);
    BOOST_TEST(pass.malformed == 0U);
    BOOST_TEST(pass.unfinished);
    BOOST_TEST(pass.tail == ring.tail + whole);
    BOOST_TEST(same(out[0], some_record(1)));
    BOOST_TEST(same(out[1], ctflow_record{}));

    // Neither does one that will be discarded, or one whose length cannot be.
    for (const auto word : {104 | busy | discarded, busy, busy | discarded, 0xffffffffU}) {
        test_ring other(512, 400);
        other.put_header(word);
        other.fill(104);
        const auto none = other.read(out);
        BOOST_TEST(none.events == 0U);
        BOOST_TEST(none.malformed == 0U);
        BOOST_TEST(none.unfinished);
        BOOST_TEST(none.tail == other.tail);
    }
}

BOOST_AUTO_TEST_CASE(discarded_records_are_passed_over) {
    test_ring ring(1024);
    ring.put_record(some_record(1), 0, discarded);
    ring.put_record(some_record(2));
    ring.put_other(0, discarded);
    ring.put_other(1, discarded);
    ring.put_other(300, discarded);
    ring.put_record(some_record(3));
    std::vector<event> out(4);
    const auto pass = ring.read(out);
    BOOST_TEST(pass.events == 2U);
    BOOST_TEST(pass.malformed == 0U);
    BOOST_TEST(pass.tail == ring.head);
    BOOST_TEST(same(out[0], some_record(2)));
    BOOST_TEST(same(out[1], some_record(3)));
}

BOOST_AUTO_TEST_CASE(a_record_may_be_longer_than_ours) {
    for (std::uint32_t more = 0; more <= 32; ++more) {
        BOOST_TEST_CONTEXT("more " << more) {
            test_ring ring(512);
            ring.put_record(some_record(1), more);
            ring.put_record(some_record(2));
            std::vector<event> out(4);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 2U);
            BOOST_TEST(pass.malformed == 0U);
            BOOST_TEST(pass.tail == ring.head);
            BOOST_TEST(same(out[0], some_record(1)));
            BOOST_TEST(same(out[1], some_record(2)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_record_that_is_too_short_is_malformed_and_the_next_is_read) {
    for (std::uint32_t length = 0; length < 104; ++length) {
        BOOST_TEST_CONTEXT("length " << length) {
            test_ring ring(512);
            ring.put_header(length);
            // Kind 1 and a good family wherever they may be looked for, in the next record, too.
            for (std::uint32_t i = 0; i < length || ring.head % 8 != 0; ++i) {
                ring.put(std::byte{1});
            }
            ring.put_record(some_record(2));
            std::vector<event> out(4);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 1U);
            BOOST_TEST(pass.malformed == 1U);
            BOOST_TEST(pass.tail == ring.head);
            BOOST_TEST(same(out[0], some_record(2)));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_follows_a_record_is_read_wherever_it_wraps_around) {
    const auto trailer = some_trailer(0x5a);
    for (std::uint64_t start = 0; start < 512; start += 8) {
        BOOST_TEST_CONTEXT("start " << start) {
            test_ring ring(512, 4096 + start);
            ring.put_record(some_record(1), std::as_bytes(std::span(&trailer, 1)));
            ring.put_record(some_record(2));
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
    ring.put_record(some_record(1, event_kind::destroy), std::as_bytes(std::span(&duration, 1)));
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
            ring.put_record(record);
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
        ring.put_record(record);
        std::vector<event> out(1);
        const auto pass = ring.read(out);
        BOOST_TEST(pass.events == (right ? 1U : 0U));
        BOOST_TEST(pass.malformed == (right ? 0U : 1U));
        BOOST_TEST(pass.tail == ring.head);
    }
}

BOOST_AUTO_TEST_CASE(a_length_beyond_what_there_is_ends_the_pass) {
    for (const std::uint32_t length :
         {105U, 112U, 128U, 248U, 256U, 4096U, 0x3ffffff8U, 0x3fffffffU}) {
        for (const auto flags : {0U, discarded}) {
            for (const std::uint64_t start : {0U, 64U, 192U, 248U}) {
                BOOST_TEST_CONTEXT("length " << length << ", start " << start) {
                    test_ring ring(256, start);
                    ring.put_header(length | flags);
                    ring.put(some_record(1));
                    std::vector<event> out(2);
                    check_given_up(ring.read(out), ring);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_came_before_broken_framing_is_kept) {
    test_ring ring(512, 400);
    ring.put_record(some_record(1));
    ring.put_header(1000);
    ring.put_record(some_record(2));
    std::vector<event> out(4);
    check_given_up(ring.read(out), ring, 1);
    BOOST_TEST(same(out[0], some_record(1)));
    BOOST_TEST(same(out[1], ctflow_record{}));
}

BOOST_AUTO_TEST_CASE(a_rest_too_short_for_a_header_ends_the_pass) {
    for (std::uint64_t rest = 1; rest < 8; ++rest) {
        test_ring ring(256);
        ring.put_record(some_record(1));
        ring.put_header(0 | busy); // Not even waited for.
        ring.head = whole + rest;
        std::vector<event> out(4);
        check_given_up(ring.read(out), ring, 1);
    }
}

BOOST_AUTO_TEST_CASE(a_position_between_words_ends_the_pass) {
    for (std::uint64_t beside = 1; beside < 8; ++beside) {
        test_ring ring(256, 248 + beside); // The last header would lie beyond the end.
        ring.put_header(0);
        ring.put_header(0);
        std::vector<event> out(4);
        check_given_up(ring.read(out), ring);
    }
}

BOOST_AUTO_TEST_CASE(positions_further_apart_than_the_ring_is_long_end_the_pass) {
    for (const std::uint64_t beyond :
         {std::uint64_t{1}, std::uint64_t{8}, std::uint64_t{256}, std::uint64_t{1} << 32,
          std::numeric_limits<std::uint64_t>::max() - 256}) {
        BOOST_TEST_CONTEXT("beyond " << beyond) {
            test_ring ring(256);
            ring.put_record(some_record(1));
            ring.head = ring.tail + 256 + beyond;
            std::vector<event> out(4);
            check_given_up(ring.read(out), ring);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_head_behind_the_tail_ends_the_pass) {
    for (const std::uint64_t behind : {1U, 8U, 112U, 256U, 4096U}) {
        BOOST_TEST_CONTEXT("behind " << behind) {
            test_ring ring(256, 8192);
            ring.put_record(some_record(1));
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
            ring.put_record(some_record(1));
            ring.put_record(some_record(2));
            std::vector<event> out(2);
            const auto pass = ring.read(out);
            BOOST_TEST(pass.events == 2U);
            BOOST_TEST(pass.malformed == 0U);
            BOOST_TEST(pass.tail == 2 * whole - before);
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
    constexpr std::array<std::uint32_t, 12> lengths = {0,   1,   8,   96,  103, 104,
                                                       104, 104, 104, 105, 108, 200};

    std::uint64_t all_events = 0;
    std::uint64_t all_malformed = 0;
    std::uint64_t all_unfinished = 0;
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
            const auto length = below(32) != 0 ? lengths[below(lengths.size())]
                                               : static_cast<std::uint32_t>(random());
            const auto flags = below(32) == 0 ? busy : below(8) == 0 ? discarded : 0;
            put(tail + at, length | flags);
            if (length >= 104 && at + whole <= data.size()) {
                put(tail + at + 8 + 101, static_cast<std::uint8_t>(below(4) != 0 ? 2 : below(256)));
                put(tail + at + 8 + 102, static_cast<std::uint8_t>(below(4) != 0 ? kind : other));
            }
            at += (8 + std::uint64_t{length} + 7) / 8 * 8;
        }

        std::vector<event> out(1 + below(4));
        trailer_pool trailers;
        auto position = tail;
        bool sound = true;
        // Each pass that is not the last brings an event, of 112 bytes.
        auto passes_left = data.size() / whole + 2;
        while (sound && position != head) {
            const auto left = head - position;
            const auto pass = read_bpf_ring(data, head, position, kind, trailers, out);
            const auto advance = pass.tail - position;
            sound = passes_left-- != 0 && (advance != 0 || pass.unfinished) && advance <= left &&
                    pass.events <= out.size() && pass.lost == 0 &&
                    (pass.tail == head || pass.events == out.size() || pass.unfinished) &&
                    pass.events * whole <= data.size() &&
                    pass.events + pass.malformed <= data.size() / 8 &&
                    std::all_of(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(pass.events),
                                [&](const event& e) { return e.kind() == kind; });
            // Out of the question for the kernel, so nothing may be believed.
            if (left > data.size() || position % 8 != 0) {
                sound = sound && pass.tail == head && pass.malformed == 1 && pass.events == 0;
            }
            position = pass.tail;
            all_events += pass.events;
            all_malformed += pass.malformed;
            if (pass.unfinished) { // It stays so: nobody is writing.
                ++all_unfinished;
                break;
            }
        }
        BOOST_REQUIRE_MESSAGE(sound, "round " << round << ": ring of " << data.size()
                                              << " bytes, tail " << tail << ", head " << head);
    }
    // What was thrown at it did get past the first check.
    BOOST_TEST(all_events > 10'000U);
    BOOST_TEST(all_malformed > 10'000U);
    BOOST_TEST(all_unfinished > 10'000U);
}

BOOST_AUTO_TEST_SUITE_END()
