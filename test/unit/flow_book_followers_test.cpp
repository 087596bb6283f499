// SPDX-License-Identifier: Apache-2.0
//
// Flows that follow another of their key of which there are no records: whose end is it?
#include "flow_book_fixture.hpp"

#include <ctflow/detail/status.h>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

using namespace ctflow::test::book;

namespace {

struct followers : fixture {
    const flow f{.follows = true};

    // An end that is not told yet.
    void doubtful(std::uint64_t start, std::uint64_t packets) {
        BOOST_TEST(end(f, start, packets).empty());
        BOOST_TEST(waits);
        BOOST_TEST(book.size() == 1U);
    }

    // The only one is of a flow without records, as it was read then.
    static void check_others(const std::vector<ended>& e, std::uint64_t packets,
                             std::uint64_t read_at) {
        BOOST_REQUIRE(e.size() == 1U);
        BOOST_TEST(e[0].conntrack == 0U);
        BOOST_TEST(e[0].told);
        BOOST_TEST(!e[0].reconstructed);
        BOOST_TEST(e[0].record.packets_orig == packets);
        BOOST_TEST(e[0].record.timestamp == read_at);
    }

    void check_its(const std::vector<ended>& e, std::uint64_t packets) const {
        BOOST_REQUIRE(e.size() == 1U);
        BOOST_TEST(e[0].conntrack == f.conntrack);
        BOOST_TEST(e[0].told);
        BOOST_TEST(!e[0].reconstructed);
        BOOST_TEST(e[0].record.packets_orig == packets);
        BOOST_TEST(e[0].trailer.duration != 0U);
        BOOST_TEST(book.size() == 0U);
    }

    void resync(bool listed, std::uint32_t status = 0) {
        book.begin_resync(now);
        if (listed) {
            list(f, 0, status);
        }
        end_resync();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(flow_book_followers, followers)

BOOST_AUTO_TEST_CASE(what_is_read_once_all_ends_from_before_its_birth_were_is_its) {
    first(f, 0);
    caught_up = records + confirmation_time;
    check_its(end(f, 0, 3), 3);
    BOOST_TEST(!waits);
}

BOOST_AUTO_TEST_CASE(so_is_what_has_its_start) {
    first(f, 1000);
    later(f, 1003);
    check_its(end(f, 1003, 3), 3);
    BOOST_TEST(!waits);
}

BOOST_AUTO_TEST_CASE(what_has_another_start_is_not) {
    first(f, 1000);
    later(f, 1003);
    check_others(end(f, 900, 7), 7, now);
    BOOST_TEST(!waits);
    check_its(end(f, 1003, 3), 3);
}

BOOST_AUTO_TEST_CASE(an_end_may_be_that_of_the_one_before) {
    first(f, 0);
    caught_up = records + confirmation_time - 1;
    doubtful(0, 7);
    const auto read_at = now;
    caught_up = now;
    now += confirmation_time;
    const auto both = end(f, 0, 3);
    BOOST_REQUIRE(both.size() == 2U);
    check_others({both[0]}, 7, read_at);
    check_its({both[1]}, 3);
    BOOST_TEST(both[0].caught_up < both[1].caught_up);
}

BOOST_AUTO_TEST_CASE(it_may_have_been_more_than_one) {
    first(f, 0);
    doubtful(0, 7);
    check_others(end(f, 0, 8), 7, now);
    BOOST_TEST(waits);
    resync(false);
    check_its(out, 8);
    BOOST_TEST(all_known);
}

BOOST_AUTO_TEST_CASE(who_is_heard_of_after_has_not_ended) {
    first(f, 0);
    doubtful(0, 7);
    later(f, 0); // From before it was read, though it comes after.
    BOOST_TEST(others().empty());
    records = now;
    later(f, 0);
    check_others(others(), 7, now);
    BOOST_TEST(others().empty());
    BOOST_TEST(book.size() == 1U);
    caught_up = now;
    check_its(end(f, 0, 9), 9);
}

BOOST_AUTO_TEST_CASE(nor_has_who_turns_out_to_have_another_start) {
    first(f, 1000);
    doubtful(900, 7);
    later(f, 1003);
    check_others(others(), 7, now);
    check_its(end(f, 1003, 9), 9);
}

BOOST_AUTO_TEST_CASE(who_has_that_start_is_gone) {
    first(f, 1000);
    doubtful(1003, 7);
    later(f, 1003);
    BOOST_TEST(others().empty());
    resync(false);
    check_its(out, 7);
}

BOOST_AUTO_TEST_CASE(who_is_listed_has_not_ended) {
    first(f, 0);
    doubtful(0, 7);
    resync(true);
    BOOST_TEST(all_known);
    check_others(others(), 7, now);
    BOOST_TEST(book.size() == 1U);
}

BOOST_AUTO_TEST_CASE(who_is_not_listed_has) {
    first(f, 0);
    doubtful(0, 7);
    resync(false);
    BOOST_TEST(all_known);
    check_its(out, 7);
    BOOST_TEST(others().empty());
}

// Ends come in their order: what was read last is of the last that has ended.
BOOST_AUTO_TEST_CASE(who_has_a_follower_without_records_that_is_listed_is_gone) {
    first(f, 0);
    doubtful(0, 7);
    unrecorded = now;
    resync(true);
    BOOST_TEST(!all_known); // It may not have been in the table yet.
    BOOST_TEST(book.size() == 1U);
    now += confirmation_time;
    resync(true);
    BOOST_TEST(!all_known);
    ++now;
    resync(true);
    BOOST_TEST(all_known);
    check_its(out, 7);
    BOOST_TEST(others().empty());
}

BOOST_AUTO_TEST_CASE(what_is_told_late_comes_before_what_is_told_after) {
    first(f, 0);
    doubtful(0, 7);
    records = now;
    later(f, 0);
    book.take_others(out);
    book.on_end(f.told(message_kind::end, 0, 9), {now, now}, out);
    BOOST_REQUIRE(out.size() == 2U);
    check_others({out[0]}, 7, now);
    check_its({out[1]}, 9);
}

// A flow of its key that has records began while the table was looked through: it may be listed.
BOOST_AUTO_TEST_CASE(who_has_a_follower_that_began_since_is_not_told_by_a_list) {
    const flow other{.conntrack = 0xb};
    first(f, 0);
    doubtful(0, 7);
    book.begin_resync(now);
    first(other, 0);
    list(f, 0);
    BOOST_TEST(end_resync().empty());
    BOOST_TEST(!all_known);
    BOOST_TEST(others().empty());
    resync(true);
    BOOST_TEST(all_known);
    BOOST_TEST(book.size() == 1U);
    BOOST_REQUIRE(out.size() == 1U);
    BOOST_TEST(out[0].conntrack == f.conntrack);
    BOOST_TEST(out[0].record.packets_orig == 7U);
    BOOST_TEST(others().empty());
}

// All ends from before the next one's birth have been read: the last of them is its.
BOOST_AUTO_TEST_CASE(the_end_of_the_next_tells_too) {
    for (const bool recorded : {true, false}) {
        const flow other{.conntrack = 0xb};
        first(f, 0);
        doubtful(0, 30);
        if (recorded) {
            first(other, 0);
        }
        unrecorded = recorded ? 0 : ++records;
        caught_up = records + confirmation_time;
        const auto both = end(f, 0, 3);
        BOOST_TEST(!waits);
        BOOST_REQUIRE(both.size() == 2U);
        check_its({both[0]}, 30);
        BOOST_TEST(!both[1].reconstructed);
        BOOST_TEST(both[1].conntrack == (recorded ? other.conntrack : 0U));
        BOOST_TEST(both[1].record.packets_orig == 3U);
        caught_up = 0;
        unrecorded = 0;
    }
}

BOOST_AUTO_TEST_CASE(of_two_ends_with_starts_the_nearer_is_its) {
    for (const bool former : {true, false}) {
        first(f, 1000);
        doubtful(former ? 900 : 1003, 7);
        const auto both = end(f, former ? 1003 : 5000, 3);
        if (former) {
            check_others(both, 7, now);
            resync(false);
            check_its(out, 3);
        } else {
            BOOST_REQUIRE(both.size() == 2U);
            check_its({both[0]}, 7);
            check_others({both[1]}, 3, now);
        }
    }
}

BOOST_AUTO_TEST_CASE(settled_an_end_is_nobodys_and_its_flow_in_doubt) {
    first(f, 0);
    records = now - 1;
    later(f, 0);
    doubtful(0, 7);
    out.clear();
    book.settle(out);
    check_others(out, 7, now);
    BOOST_TEST(book.size() == 1U);
    BOOST_TEST(!book.in_doubt());
    BOOST_TEST(book.in_doubt());
    later(f, 0);
    BOOST_TEST(!book.in_doubt());
    out.clear();
    book.settle(out);
    BOOST_TEST(out.empty());
}

// The one before may be on its way out, or this one.
BOOST_AUTO_TEST_CASE(who_is_dying_when_listed_does_not_tell) {
    first(f, 0);
    doubtful(0, 7);
    resync(true, CTFLOW_STATUS_DYING);
    BOOST_TEST(!all_known);
    BOOST_TEST(out.empty());
    BOOST_TEST(others().empty());
    resync(false);
    check_its(out, 7);
}

BOOST_AUTO_TEST_CASE(a_list_from_before_does_not_tell) {
    first(f, 0);
    for (const bool listed : {true, false}) {
        book.begin_resync(now);
        BOOST_TEST(end(f, 0, 7).size() == (listed ? 0U : 1U));
        if (listed) {
            list(f, 0);
        }
        BOOST_TEST(end_resync().empty());
        BOOST_TEST(!all_known);
        BOOST_TEST(others().empty());
    }
    resync(false);
    check_its(out, 7);
}

BOOST_AUTO_TEST_CASE(who_may_be_under_way_to_the_table_does_not_tell) {
    records = now;
    first(f, 0);
    doubtful(0, 7);
    resync(false);
    BOOST_TEST(!all_known);
    BOOST_TEST(book.size() == 1U);
    now += confirmation_time + 1;
    resync(false);
    check_its(out, 7);
}

BOOST_AUTO_TEST_CASE(who_is_over_because_the_next_is_has_the_end_that_waits) {
    const flow next{.conntrack = 0xb};
    first(f, 1000);
    doubtful(1003, 7);
    first(next, 5000);
    later(next, 5003);
    const auto e = end(next, 5003, 3);
    BOOST_REQUIRE(e.size() == 2U);
    BOOST_TEST(e[1].conntrack == next.conntrack);
    check_its({e[0]}, 7);
}

BOOST_AUTO_TEST_CASE(as_long_as_an_end_waits_there_is_doubt) {
    first(f, 0);
    later(f, 0);
    BOOST_TEST(!book.in_doubt());
    doubtful(0, 7);
    BOOST_TEST(book.in_doubt());
    resync(true);
    BOOST_TEST(!book.in_doubt());
}

BOOST_AUTO_TEST_CASE(cleared_nothing_waits) {
    first(f, 0);
    doubtful(0, 7);
    book.clear(our_netns);
    BOOST_TEST(!book.in_doubt());
    first(f, 0);
    records = now;
    later(f, 0);
    BOOST_TEST(others().empty());
}

BOOST_AUTO_TEST_SUITE_END()
