/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Why a flow has ended, as far as that shows in what it leaves behind. Plain C over plain values:
 * the BPF programs and user space compile the same lines.
 */
#include <ctflow/detail/record.h>
#include <ctflow/detail/status.h>

/* enum tcp_conntrack, enum sctp_conntrack (uapi/linux/netfilter) */
enum {
    CTFLOW_TCP_FIN_WAIT = 4,
    CTFLOW_TCP_CLOSE_WAIT = 5,
    CTFLOW_TCP_LAST_ACK = 6,
    CTFLOW_TCP_TIME_WAIT = 7,
    CTFLOW_TCP_CLOSE = 8,
    CTFLOW_SCTP_CLOSED = 1,
};

/* Of a TCP connection: both sides have closed it, or one has reset it. */
static inline int tcp_is_over(unsigned int state) {
    return state >= CTFLOW_TCP_LAST_ACK && state <= CTFLOW_TCP_CLOSE;
}

/*
 * Conntrack keeps a connection that was closed for a while, and takes it out when its time is up,
 * as it does with those that were silent for too long.
 *
 * A flow that had time left was deleted on somebody's request (conntrack -D, a namespace that goes)
 * or evicted, because the table was full. Conntrack evicts no flow that is assured
 * (early_drop_list()) and not half closed (tcp_can_early_drop()).
 */
static inline enum ctflow_end_reason end_reason_of(int expired, int over, unsigned int tcp_state,
                                                   unsigned int status) {
    const int half_closed = tcp_state == CTFLOW_TCP_FIN_WAIT || tcp_state == CTFLOW_TCP_CLOSE_WAIT;

    if (over)
        return CTFLOW_END_CLOSED;
    if (expired)
        return CTFLOW_END_TIMEOUT;
    if ((status & CTFLOW_STATUS_ASSURED) && !half_closed)
        return CTFLOW_END_DELETED;
    return CTFLOW_END_UNKNOWN;
}
