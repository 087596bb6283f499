// SPDX-License-Identifier: Apache-2.0
#include "end.h"

#include <boost/test/unit_test.hpp>

namespace {

constexpr unsigned plain = CTFLOW_STATUS_CONFIRMED | CTFLOW_STATUS_DYING;
constexpr unsigned answered = plain | CTFLOW_STATUS_SEEN_REPLY;
constexpr unsigned assured = answered | CTFLOW_STATUS_ASSURED;
constexpr unsigned tcp = 6;
constexpr unsigned udp = 17;
constexpr unsigned dccp = 33;
constexpr unsigned sctp = 132;
constexpr unsigned time_wait = 7;
constexpr auto all_times = {CTFLOW_TIME_UNKNOWN, CTFLOW_TIME_LEFT, CTFLOW_TIME_UP};

} // namespace

BOOST_AUTO_TEST_SUITE(end)

BOOST_AUTO_TEST_CASE(a_connection_is_over_once_both_sides_have_closed_it_or_one_has_reset_it) {
    for (unsigned state = 0; state < 16; ++state) {
        const bool over =
            state == CTFLOW_TCP_LAST_ACK || state == time_wait || state == CTFLOW_TCP_CLOSE;
        BOOST_TEST(flow_is_over(state, 0, plain) == (over ? 1 : 0));
        BOOST_TEST(flow_is_over(0, state, answered) == (state == CTFLOW_SCTP_CLOSED ? 1 : 0));
        BOOST_TEST(flow_is_over(0, state, plain) == 0);
    }
}

BOOST_AUTO_TEST_CASE(an_association_that_nobody_has_answered_was_not_closed) {
    const auto reason = [](ctflow_time_left time) {
        return end_reason_of(time, sctp, 0, CTFLOW_SCTP_CLOSED, plain, 0);
    };
    BOOST_TEST(reason(CTFLOW_TIME_UP) == CTFLOW_END_TIMEOUT);
    BOOST_TEST(reason(CTFLOW_TIME_LEFT) == CTFLOW_END_UNKNOWN);
    BOOST_TEST(end_reason_of(CTFLOW_TIME_UP, sctp, 0, CTFLOW_SCTP_CLOSED, answered, 0) ==
               CTFLOW_END_CLOSED); // Refused by an ABORT.
}

BOOST_AUTO_TEST_CASE(what_is_over_was_closed_however_it_was_taken_out) {
    for (const auto time : all_times) {
        BOOST_TEST(end_reason_of(time, tcp, CTFLOW_TCP_CLOSE, 0, plain, 0) == CTFLOW_END_CLOSED);
        BOOST_TEST(end_reason_of(time, tcp, time_wait, 0, assured, 0) == CTFLOW_END_CLOSED);
        BOOST_TEST(end_reason_of(time, sctp, 0, CTFLOW_SCTP_CLOSED, assured, 0) ==
                   CTFLOW_END_CLOSED);
    }
}

BOOST_AUTO_TEST_CASE(whose_time_was_up_was_silent_for_too_long) {
    for (const auto proto : {tcp, udp, dccp, sctp}) {
        for (const auto status : {plain, assured}) {
            BOOST_TEST(end_reason_of(CTFLOW_TIME_UP, proto, 0, 0, status, 0) == CTFLOW_END_TIMEOUT);
        }
    }
}

BOOST_AUTO_TEST_CASE(who_cannot_be_evicted_was_deleted) {
    BOOST_TEST(end_reason_of(CTFLOW_TIME_LEFT, udp, 0, 0, assured, 0) == CTFLOW_END_DELETED);
    BOOST_TEST(end_reason_of(CTFLOW_TIME_LEFT, tcp, 3, 0, assured, 0) == CTFLOW_END_DELETED);
    BOOST_TEST(end_reason_of(CTFLOW_TIME_LEFT, sctp, 0, 4, assured, 0) == CTFLOW_END_DELETED);
}

BOOST_AUTO_TEST_CASE(of_others_nobody_can_tell) {
    const auto reason = [](unsigned proto, unsigned tcp_state, unsigned sctp_state,
                           unsigned status) {
        return end_reason_of(CTFLOW_TIME_LEFT, proto, tcp_state, sctp_state, status, 0);
    };
    BOOST_TEST(reason(udp, 0, 0, plain) == CTFLOW_END_UNKNOWN);
    BOOST_TEST(reason(tcp, 3, 0, plain) == CTFLOW_END_UNKNOWN);
    BOOST_TEST(reason(tcp, CTFLOW_TCP_FIN_WAIT, 0, assured) == CTFLOW_END_UNKNOWN);
    BOOST_TEST(reason(tcp, CTFLOW_TCP_CLOSE_WAIT, 0, assured) == CTFLOW_END_UNKNOWN);
    for (unsigned state = CTFLOW_SCTP_SHUTDOWN_SENT; state <= CTFLOW_SCTP_SHUTDOWN_ACK_SENT;
         ++state) {
        BOOST_TEST(reason(sctp, 0, state, assured) == CTFLOW_END_UNKNOWN);
    }
    BOOST_TEST(reason(dccp, 0, 0, assured) == CTFLOW_END_UNKNOWN);
    BOOST_TEST(end_reason_of(CTFLOW_TIME_UNKNOWN, udp, 0, 0, assured, 0) == CTFLOW_END_UNKNOWN);
}

// Which makes nothing of flows that it does not evict, and of their time alone nothing either.
BOOST_AUTO_TEST_CASE(who_could_have_been_evicted_was_where_an_eviction_was_at_work) {
    const auto reason = [](ctflow_time_left time, unsigned tcp_state, unsigned status) {
        return end_reason_of(time, tcp, tcp_state, 0, status, 1);
    };
    BOOST_TEST(reason(CTFLOW_TIME_LEFT, 3, plain) == CTFLOW_END_EVICTED);
    BOOST_TEST(reason(CTFLOW_TIME_LEFT, CTFLOW_TCP_FIN_WAIT, assured) == CTFLOW_END_EVICTED);
    BOOST_TEST(reason(CTFLOW_TIME_LEFT, 3, assured) == CTFLOW_END_DELETED);
    BOOST_TEST(reason(CTFLOW_TIME_LEFT, time_wait, plain) == CTFLOW_END_CLOSED);
    BOOST_TEST(reason(CTFLOW_TIME_UP, 3, plain) == CTFLOW_END_TIMEOUT);
    BOOST_TEST(reason(CTFLOW_TIME_UNKNOWN, 3, plain) == CTFLOW_END_UNKNOWN);
}

BOOST_AUTO_TEST_SUITE_END()
