// SPDX-License-Identifier: Apache-2.0
#include "flow_book_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

using namespace ctflow::test::book;

BOOST_FIXTURE_TEST_SUITE(flow_book, fixture)

BOOST_AUTO_TEST_CASE(a_flow_begins_goes_on_and_ends) {
    const flow f;
    first(f, 1000);
    later(f, 1003);
    BOOST_TEST(book.size() == 1U);

    auto last = f.told(message_kind::end, 1003, 9);
    last.packets_ret = 4;
    last.bytes_ret = 44;
    last.mark = 5;
    last.tcp_state = 3;
    last.status = 0x20e; // SEEN_REPLY, ASSURED, CONFIRMED, DYING
    last.time_left = true;
    book.on_end(last, {now, caught_up}, out);
    BOOST_REQUIRE(out.size() == 1U);
    const auto& e = out[0];
    BOOST_TEST(e.told);
    BOOST_TEST(!e.reconstructed);
    BOOST_TEST(e.conntrack == f.conntrack);
    BOOST_TEST(e.origin == 1U);

    auto expected = f.record(1000, 9);
    expected.timestamp = now;
    expected.kind = CTFLOW_RECORD_DESTROY;
    expected.packets_ret = 4;
    expected.bytes_ret = 44;
    expected.connmark = 5;
    expected.tcp_state = 3;
    expected.end_reason = CTFLOW_END_DELETED;
    expected.seen_reply = expected.assured = expected.confirmed = 1;
    BOOST_TEST(std::memcmp(&e.record, &expected, sizeof(expected)) == 0);
    BOOST_TEST(book.size() == 0U);
}

// Ctnetlink tells what has become of the flow, but not all that its records told.
BOOST_AUTO_TEST_CASE(the_end_has_the_details_of_both) {
    const flow f{.zone = 4};
    ctflow_trailer known{};
    known.parts = CTFLOW_TRAILER_STATUS | CTFLOW_TRAILER_LABELS | CTFLOW_TRAILER_TCP;
    known.labels[0] = 5;
    auto r = f.record(1000, 1);
    r.timestamp = 1;
    book.on_update(r, &known, {f.zone, true});

    auto last = f.told(message_kind::end, 1003, 9);
    last.status = 0x2be;
    last.zone_dir = 3;
    last.reply = ctflow_ends{{192}, {1}, 7, 9};
    last.stop = 5003;
    book.on_end(last, {now, caught_up}, out);
    BOOST_REQUIRE(out.size() == 1U);
    const auto& t = out[0].trailer;
    BOOST_TEST(t.parts == (CTFLOW_TRAILER_STATUS | CTFLOW_TRAILER_LABELS | CTFLOW_TRAILER_REPLY));
    BOOST_TEST(t.status == 0x2beU);
    BOOST_TEST(t.labels[0] == 5U);
    BOOST_TEST(t.zone == 4U);
    BOOST_TEST(t.reply.dst_port == 9U);
    BOOST_TEST(t.duration == 4000U); // The kernel's.
}

BOOST_AUTO_TEST_CASE(a_plain_end_has_a_duration_alone) {
    const flow f;
    first(f, 0);
    auto last = f.told(message_kind::end, 0, 9);
    last.status = 0x20e;
    book.on_end(last, {now, caught_up}, out);
    BOOST_TEST(out.at(0).trailer.parts == 0U);
    BOOST_TEST(out.at(0).trailer.duration == now - 1); // Ours, from the first packet on.

    later(f, 0);
    book.on_end(last, {now, caught_up}, out);
    BOOST_TEST(out.at(1).trailer.duration == 0U); // Which was not seen.
}

BOOST_AUTO_TEST_CASE(a_birth_may_be_long_before_the_first_record) {
    const flow f;
    auto r = f.record(0, 7);
    r.timestamp = 50;
    book.on_update(r, nullptr, {.zone = 0, .begins = false, .born = true, .origin = 20});
    BOOST_TEST(end(f, 0).at(0).trailer.duration == now - 20);
    BOOST_TEST(out[0].origin == 20U);
}

BOOST_AUTO_TEST_CASE(an_origin_is_what_the_last_record_told_and_a_birth_what_the_first_did) {
    const flow f;
    first(f, 0);
    auto r = f.record(0, 7);
    book.on_update(r, nullptr, {.zone = 0, .begins = false, .born = false, .origin = 30});
    BOOST_TEST(end(f, 0).at(0).trailer.duration == now - 1);
    BOOST_TEST(out[0].origin == 30U);
}

BOOST_AUTO_TEST_CASE(details_that_are_gone_are_not_remembered) {
    const flow f;
    ctflow_trailer known{};
    known.parts = CTFLOW_TRAILER_STATUS | CTFLOW_TRAILER_LABELS;
    auto r = f.record(1000, 1);
    book.on_update(r, &known, {f.zone, true});
    book.on_update(r, nullptr, {f.zone, false});
    auto last = f.told(message_kind::end, 1000, 9);
    last.status = 0x20e;
    book.on_end(last, {now, caught_up}, out);
    BOOST_TEST(out.at(0).trailer.parts == 0U);
}

BOOST_AUTO_TEST_CASE(a_reconstructed_end_has_the_last_known_details) {
    const flow f;
    ctflow_trailer known{};
    known.parts = CTFLOW_TRAILER_STATUS | CTFLOW_TRAILER_MASTER | CTFLOW_TRAILER_TCP;
    known.status = 0xf;
    known.master = 77;
    known.offload = 1;
    auto r = f.record(1000, 1);
    book.on_update(r, &known, {f.zone, false});
    book.begin_resync(now);
    BOOST_REQUIRE(end_resync().size() == 1U);
    BOOST_TEST(out[0].reconstructed);
    BOOST_TEST(out[0].trailer.master == 77U);
    BOOST_TEST(out[0].trailer.parts == (CTFLOW_TRAILER_STATUS | CTFLOW_TRAILER_MASTER));
    BOOST_TEST(out[0].trailer.offload == 0);
    BOOST_TEST(out[0].trailer.status == 0x20fU);
    BOOST_TEST(+out[0].record.end_reason == CTFLOW_END_UNKNOWN);
}

BOOST_AUTO_TEST_CASE(all_events_of_a_flow_tell_the_start_that_the_first_told) {
    const flow f;
    BOOST_TEST(first(f, 1000) == 1000U);
    BOOST_TEST(later(f, 1003) == 1000U);
    BOOST_TEST(later(f, 1003) == 1000U);
    BOOST_TEST(end(f, 1003).at(0).record.start == 1000U);
}

BOOST_AUTO_TEST_CASE(no_start_remains_none) {
    const flow f;
    BOOST_TEST(later(f, 0) == 0U);
    BOOST_TEST(later(f, 1003) == 0U);
    BOOST_TEST(end(f, 1003).at(0).record.start == 0U);
}

BOOST_AUTO_TEST_CASE(the_estimate_remains_where_the_kernel_has_no_starts) {
    const flow f;
    first(f, 1000);
    BOOST_TEST(later(f, 0) == 1000U);
    BOOST_TEST(end(f, 0).at(0).record.start == 1000U);
}

BOOST_AUTO_TEST_CASE(a_flow_that_began_before_us_is_one) {
    const flow f;
    BOOST_TEST(later(f, 500) == 500U);
    BOOST_TEST(book.size() == 1U);
    BOOST_TEST(end(f, 500).at(0).conntrack == f.conntrack);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_flow_never_seen_is_told_by_what_the_kernel_says) {
    const flow f{.zone = 3};
    const auto e = end(f, 777, 9).at(0);
    BOOST_TEST(e.told);
    BOOST_TEST(e.conntrack == 0U);
    BOOST_TEST(e.origin == 0U);
    auto expected = f.record(777, 9);
    expected.conntrack = 0;
    expected.timestamp = now;
    expected.kind = CTFLOW_RECORD_DESTROY;
    expected.end_reason = CTFLOW_END_TIMEOUT;
    BOOST_TEST(std::memcmp(&e.record, &expected, sizeof(expected)) == 0);
}

BOOST_AUTO_TEST_CASE(an_end_without_counters_is_not_told_and_yet_one) {
    const flow f;
    first(f, 1000);
    auto m = f.told(message_kind::end, 1003);
    m.has_counters = false;
    book.on_end(m, {now, caught_up}, out);
    BOOST_REQUIRE(out.size() == 1U);
    BOOST_TEST(!out[0].told);
    BOOST_TEST(out[0].conntrack == f.conntrack);
    BOOST_TEST(book.size() == 0U);
}

BOOST_AUTO_TEST_CASE(zones_and_protocols_are_apart) {
    const flow f;
    const flow elsewhere{.conntrack = 0xffff1111, .zone = 7};
    first(f, 1000);
    first(elsewhere, 1001);
    BOOST_TEST(book.size() == 2U);
    BOOST_TEST(end(elsewhere, 1002).at(0).conntrack == elsewhere.conntrack);
    auto other = f.told(message_kind::end, 1002);
    other.key.proto = IPPROTO_UDPLITE;
    out.clear();
    book.on_end(other, {now, caught_up}, out);
    BOOST_TEST(out.at(0).conntrack == 0U);
    BOOST_TEST(book.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_tuple_used_again_before_its_end_is_read) {
    // The same address too, as it is with a busy slab.
    const flow f;
    first(f, 1000);
    later(f, 1003, 5);
    BOOST_TEST(first(f, 5000) == 5000U);
    BOOST_TEST(book.size() == 2U);

    const auto one = end(f, 1003);
    BOOST_REQUIRE(one.size() == 1U);
    BOOST_TEST(!one[0].reconstructed);
    BOOST_TEST(one[0].record.start == 1000U);
    BOOST_TEST(one[0].origin == 1U);
    BOOST_TEST(later(f, 5004) == 5000U);

    const auto two = end(f, 5004);
    BOOST_REQUIRE(two.size() == 1U);
    BOOST_TEST(two[0].record.start == 5000U);
    BOOST_TEST(two[0].origin == 3U);
    BOOST_TEST(book.size() == 0U);
}

BOOST_AUTO_TEST_CASE(first_packets_alone_are_matched_by_the_nearest_estimate) {
    for (const bool in_order : {true, false}) {
        const flow f;
        first(f, 1000);
        first(f, 5000);
        const auto e = end(f, in_order ? 1030 : 5030);
        BOOST_REQUIRE(e.size() == (in_order ? 1U : 2U));
        BOOST_TEST(e.back().record.start == (in_order ? 1000U : 5000U));
        book.clear(our_netns);
    }
}

BOOST_AUTO_TEST_CASE(without_starts_the_oldest_ends_first) {
    const flow old{.conntrack = 0xa};
    const flow young{.conntrack = 0xb};
    first(old, 1000);
    first(young, 5000);
    BOOST_TEST(end(old, 0).at(0).conntrack == 0xaU);
    BOOST_TEST(end(old, 0).at(0).conntrack == 0xbU);
    BOOST_TEST(end(old, 0).at(0).conntrack == 0U);
}

BOOST_AUTO_TEST_CASE(a_lost_end_is_concluded_from_that_of_the_next) {
    const flow f;
    first(f, 1000);
    later(f, 1003, 5);
    first(f, 2000);
    first(f, 5000);
    const auto e = end(f, 5004, 9);
    BOOST_REQUIRE(e.size() == 3U);
    BOOST_TEST(e[0].reconstructed);
    BOOST_TEST(e[0].told);
    BOOST_TEST(e[0].record.start == 1000U);
    BOOST_TEST(e[0].record.packets_orig == 5U);
    BOOST_TEST(+e[0].record.kind == CTFLOW_RECORD_DESTROY);
    BOOST_TEST(e[0].record.timestamp == now);
    BOOST_TEST(e[1].reconstructed);
    BOOST_TEST(e[1].record.start == 2000U);
    BOOST_TEST(!e[2].reconstructed);
    BOOST_TEST(e[2].record.start == 5000U);
    BOOST_TEST(e[2].record.packets_orig == 9U);
    BOOST_TEST(book.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_flow_with_another_start_at_the_same_address_is_another) {
    const flow f;
    later(f, 1003);
    BOOST_TEST(later(f, 5004) == 5004U);
    BOOST_TEST(book.size() == 2U);
}

// Of two flows with one tuple the first has not ended, as far as is known, and is heard of again.
BOOST_AUTO_TEST_CASE(an_update_of_the_older_flow_of_a_tuple_is_its_own) {
    flow older;
    flow newer;
    newer.conntrack = older.conntrack + 0x100;
    first(older, 1000);
    first(newer, 5000);
    BOOST_TEST(later(older, 1003) == 1000U);
    BOOST_TEST(later(newer, 5003) == 5000U);
    BOOST_TEST(book.size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_end_of_one_not_seen_says_which_of_its_key_are_over) {
    const flow f;
    later(f, 1003);
    later(f, 9009);
    const auto e = end(f, 5004);
    BOOST_REQUIRE(e.size() == 2U);
    BOOST_TEST(e[0].reconstructed);
    BOOST_TEST(e[0].record.start == 1003U);
    BOOST_TEST(e[1].conntrack == 0U);
    BOOST_TEST(e[1].record.start == 5004U);
    BOOST_TEST(book.size() == 1U); // That of 9009.
}

BOOST_AUTO_TEST_CASE(a_resync_finds_who_is_gone) {
    const flow a{.number = 1, .conntrack = 0xa};
    const flow b{.number = 2, .conntrack = 0xb};
    later(a, 1000, 3);
    later(b, 1000);
    book.begin_resync(now);
    list(b, 1000);
    const auto e = end_resync();
    BOOST_REQUIRE(e.size() == 1U);
    BOOST_TEST(e[0].conntrack == 0xaU);
    BOOST_TEST(e[0].reconstructed);
    BOOST_TEST(e[0].told);
    BOOST_TEST(e[0].record.packets_orig == 3U);
    BOOST_TEST(book.size() == 1U);
    BOOST_TEST(end(b, 1000).at(0).conntrack == 0xbU);
}

BOOST_AUTO_TEST_CASE(flows_that_begin_or_end_during_a_resync) {
    const flow gone{.number = 1, .conntrack = 0xa};
    const flow ends{.number = 2, .conntrack = 0xb};
    const flow begins{.number = 3, .conntrack = 0xc};
    const flow known{.number = 4, .conntrack = 0xd};
    first(gone, 1000);
    first(ends, 1000);
    book.begin_resync(now);
    first(begins, 3000);
    later(known, 400);
    BOOST_TEST(end(ends, 1003).size() == 1U);
    list(ends, 1003); // It was on its way out of the table.
    const auto e = end_resync();
    BOOST_REQUIRE(e.size() == 1U);
    BOOST_TEST(e[0].conntrack == 0xaU);
    BOOST_TEST(book.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_resync_tells_the_flows_of_one_tuple_apart) {
    const flow f;
    first(f, 1000);
    later(f, 1003);
    first(f, 5000);
    book.begin_resync(now);
    list(f, 5002);
    const auto e = end_resync();
    BOOST_REQUIRE(e.size() == 1U);
    BOOST_TEST(e[0].record.start == 1000U);
    BOOST_TEST(end(f, 5002).at(0).record.start == 5000U);
}

BOOST_AUTO_TEST_CASE(all_the_flows_of_one_tuple_may_be_gone) {
    const flow f;
    for (const std::uint64_t start : {1000U, 2000U, 3000U}) {
        later(f, start);
    }
    book.begin_resync(now);
    const auto e = end_resync();
    BOOST_REQUIRE(e.size() == 3U);
    BOOST_TEST(e[0].record.start == 1000U); // In their order.
    BOOST_TEST(e[2].record.start == 3000U);
    BOOST_TEST(book.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_first_packet_may_still_be_under_way_to_the_table) {
    const flow f;
    first(f, 1000);
    book.begin_resync(records + confirmation_time - 1);
    BOOST_TEST(end_resync().empty());
    BOOST_TEST(!all_known);
    BOOST_TEST(book.size() == 1U);

    book.begin_resync(records + confirmation_time);
    BOOST_TEST(end_resync().size() == 1U);
    BOOST_TEST(all_known);
}

// The end of the older one was lost. What is listed without a start is who can be alive.
BOOST_AUTO_TEST_CASE(without_starts_the_newest_of_a_tuple_is_the_one_that_is_listed) {
    const flow a{.conntrack = 0xa};
    const flow b{.conntrack = 0xb};
    first(a, 0);
    first(b, 0);
    book.begin_resync(now);
    list(a, 0);
    const auto e = end_resync();
    BOOST_REQUIRE(e.size() == 1U);
    BOOST_TEST(e[0].conntrack == a.conntrack);
    BOOST_TEST(end(b, 0).at(0).conntrack == b.conntrack);
}

BOOST_AUTO_TEST_CASE(without_starts_one_that_began_since_need_not_be_the_one_that_is_listed) {
    const flow a{.conntrack = 0xa};
    const flow b{.conntrack = 0xb};
    first(a, 0);
    book.begin_resync(now);
    first(b, 0);
    list(a, 0);
    BOOST_TEST(end_resync().empty());
    BOOST_TEST(end(a, 0).at(0).conntrack == a.conntrack);
}

BOOST_AUTO_TEST_CASE(another_birth_at_the_same_address_is_another_flow) {
    const flow f;
    auto r = f.record(0, 1);
    book.on_update(r, nullptr, {.zone = 0, .begins = true, .born = true, .origin = 5 * second});
    book.on_update(r, nullptr, {.zone = 0, .begins = false, .born = true, .origin = 5 * second});
    BOOST_TEST(book.size() == 1U);
    book.on_update(r, nullptr, {.zone = 0, .begins = false, .born = true, .origin = 7 * second});
    BOOST_TEST(book.size() == 2U);
    BOOST_TEST(end(f, 0).at(0).trailer.duration == now - 5 * second);
    BOOST_TEST(end(f, 0).at(0).trailer.duration == now - 7 * second);
}

BOOST_AUTO_TEST_CASE(a_resync_that_begins_again_forgets_what_was_listed) {
    const flow a{.number = 1, .conntrack = 0xa};
    const flow b{.number = 2, .conntrack = 0xb};
    later(a, 1000);
    later(b, 1000);
    book.begin_resync(now);
    list(a, 1000);
    list(b, 1000);
    book.begin_resync(now); // The end of a was lost meanwhile.
    list(b, 1000);
    const auto e = end_resync();
    BOOST_REQUIRE(e.size() == 1U);
    BOOST_TEST(e[0].conntrack == 0xaU);
}

BOOST_AUTO_TEST_CASE(what_is_listed_and_not_known_is_no_flow_of_ours) {
    book.begin_resync(now);
    list(flow{}, 1000);
    BOOST_TEST(end_resync().empty());
    BOOST_TEST(book.size() == 0U);
}

BOOST_AUTO_TEST_CASE(many_flows_come_and_go_and_come_again) {
    constexpr std::uint32_t many = 100'000;
    for (int round = 0; round < 2; ++round) {
        for (std::uint32_t i = 0; i < many; ++i) {
            first(flow{.number = i, .conntrack = i}, 1000 + i);
        }
        BOOST_TEST(book.size() == many);
        out.clear();
        for (std::uint32_t i = 0; i < many; i += 2) {
            book.on_end(flow{.number = i}.told(message_kind::end, 1000 + i, 1), {now, caught_up},
                        out);
        }
        BOOST_TEST(book.size() == many / 2);
        book.begin_resync(now);
        book.end_resync(now, out);
        BOOST_TEST(book.size() == 0U);

        std::vector<std::uint64_t> ends;
        for (const auto& e : out) {
            ends.push_back(e.conntrack);
        }
        std::ranges::sort(ends);
        bool each_once = ends.size() == many;
        for (std::uint32_t i = 0; each_once && i < many; ++i) {
            each_once = ends[i] == i;
        }
        BOOST_TEST(each_once);
    }
}

BOOST_AUTO_TEST_CASE(cleared_it_is_as_new) {
    const flow f;
    first(f, 1000);
    book.clear(our_netns);
    BOOST_TEST(book.size() == 0U);
    BOOST_TEST(first(f, 2000) == 2000U);
    BOOST_TEST(end(f, 2001).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_flow_of_which_only_the_first_packet_is_known_is_in_doubt_in_the_end) {
    const flow a{.number = 1};
    first(a, 1000);
    BOOST_TEST(!book.in_doubt()); // It may be quite new.
    BOOST_TEST(book.in_doubt());
    BOOST_TEST(book.in_doubt());
    end(a, 1001);
    BOOST_TEST(!book.in_doubt());
}

BOOST_AUTO_TEST_CASE(a_second_packet_or_a_list_takes_the_doubt_away) {
    const flow a{.number = 1, .conntrack = 0xa};
    const flow b{.number = 2, .conntrack = 0xb};
    const flow c{.number = 3, .conntrack = 0xc};
    for (const auto& f : {a, b, c}) {
        first(f, 1000);
    }
    later(a, 1001); // In the same generation,
    BOOST_TEST(!book.in_doubt());
    later(b, 1001); // and in another.
    BOOST_TEST(book.in_doubt());
    book.begin_resync(now);
    list(a, 1001);
    list(b, 1001);
    list(c, 1001);
    end_resync();
    BOOST_TEST(book.size() == 3U);
    BOOST_TEST(!book.in_doubt());
}

BOOST_AUTO_TEST_CASE(so_does_the_resync_that_finds_it_gone) {
    first({.number = 1}, 1000);
    book.in_doubt();
    BOOST_TEST(book.in_doubt());
    book.begin_resync(now);
    BOOST_TEST(end_resync().size() == 1U);
    BOOST_TEST(!book.in_doubt());

    first({.number = 2}, 1000);
    book.in_doubt();
    book.clear(our_netns);
    BOOST_TEST(!book.in_doubt());
}

BOOST_AUTO_TEST_SUITE_END()
