// SPDX-License-Identifier: Apache-2.0
#include "end.h"

#include <boost/test/unit_test.hpp>

namespace {

constexpr unsigned plain = CTFLOW_STATUS_CONFIRMED | CTFLOW_STATUS_DYING;
constexpr unsigned assured = plain | CTFLOW_STATUS_ASSURED;
constexpr unsigned established = 3;

} // namespace

BOOST_AUTO_TEST_SUITE(end)

BOOST_AUTO_TEST_CASE(a_connection_is_over_once_both_sides_have_closed_it_or_one_has_reset_it) {
    for (unsigned state = 0; state < 16; ++state) {
        const bool over = state == CTFLOW_TCP_LAST_ACK || state == CTFLOW_TCP_TIME_WAIT ||
                          state == CTFLOW_TCP_CLOSE;
        BOOST_TEST(tcp_is_over(state) == (over ? 1 : 0));
    }
}

BOOST_AUTO_TEST_CASE(what_is_over_was_closed_however_it_was_taken_out) {
    for (const int expired : {0, 1}) {
        BOOST_TEST(end_reason_of(expired, 1, CTFLOW_TCP_CLOSE, plain) == CTFLOW_END_CLOSED);
        BOOST_TEST(end_reason_of(expired, 1, CTFLOW_TCP_TIME_WAIT, assured) == CTFLOW_END_CLOSED);
    }
}

BOOST_AUTO_TEST_CASE(whose_time_was_up_was_silent_for_too_long) {
    BOOST_TEST(end_reason_of(1, 0, 0, plain) == CTFLOW_END_TIMEOUT);
    BOOST_TEST(end_reason_of(1, 0, established, assured) == CTFLOW_END_TIMEOUT);
}

BOOST_AUTO_TEST_CASE(who_cannot_be_evicted_was_deleted) {
    BOOST_TEST(end_reason_of(0, 0, 0, assured) == CTFLOW_END_DELETED);
    BOOST_TEST(end_reason_of(0, 0, established, assured) == CTFLOW_END_DELETED);
}

BOOST_AUTO_TEST_CASE(of_others_nobody_can_tell) {
    BOOST_TEST(end_reason_of(0, 0, 0, plain) == CTFLOW_END_UNKNOWN);
    BOOST_TEST(end_reason_of(0, 0, established, plain) == CTFLOW_END_UNKNOWN);
    BOOST_TEST(end_reason_of(0, 0, CTFLOW_TCP_FIN_WAIT, assured) == CTFLOW_END_UNKNOWN);
    BOOST_TEST(end_reason_of(0, 0, CTFLOW_TCP_CLOSE_WAIT, assured) == CTFLOW_END_UNKNOWN);
}

BOOST_AUTO_TEST_SUITE_END()
