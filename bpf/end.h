/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Why a flow has ended, as far as that shows in what it leaves behind. Plain C over plain values:
 * the BPF programs and user space compile the same lines.
 */
#include <ctflow/detail/record.h>
#include <ctflow/detail/status.h>

/* Whether the flow's time was up when it was taken out of the table. */
enum ctflow_time_left { CTFLOW_TIME_UNKNOWN, CTFLOW_TIME_LEFT, CTFLOW_TIME_UP };

enum {
    CTFLOW_PROTO_DCCP = 33,
    /* enum tcp_conntrack, enum sctp_conntrack (uapi/linux/netfilter) */
    CTFLOW_TCP_FIN_WAIT = 4,
    CTFLOW_TCP_CLOSE_WAIT = 5,
    CTFLOW_TCP_LAST_ACK = 6,
    CTFLOW_TCP_CLOSE = 8,
    CTFLOW_SCTP_CLOSED = 1,
    CTFLOW_SCTP_SHUTDOWN_SENT = 5,
    CTFLOW_SCTP_SHUTDOWN_ACK_SENT = 7,
};

/* Both sides have closed it, or one has reset it. States are 0 of other protocols. Of SCTP an INIT
 * that nobody has answered is CLOSED, too (sctp_conntracks in nf_conntrack_proto_sctp.c). */
static inline int flow_is_over(unsigned int tcp_state, unsigned int sctp_state,
                               unsigned int status) {
    return (tcp_state >= CTFLOW_TCP_LAST_ACK && tcp_state <= CTFLOW_TCP_CLOSE) ||
           (sctp_state == CTFLOW_SCTP_CLOSED && (status & CTFLOW_STATUS_SEEN_REPLY));
}

/* Whether conntrack may evict a flow that is assured (can_early_drop of each protocol). DCCP's
 * states are not looked at. */
static inline int flow_is_closing(unsigned int proto, unsigned int tcp_state,
                                  unsigned int sctp_state) {
    return tcp_state == CTFLOW_TCP_FIN_WAIT || tcp_state == CTFLOW_TCP_CLOSE_WAIT ||
           (sctp_state >= CTFLOW_SCTP_SHUTDOWN_SENT &&
            sctp_state <= CTFLOW_SCTP_SHUTDOWN_ACK_SENT) ||
           proto == CTFLOW_PROTO_DCCP;
}

/*
 * Conntrack keeps a connection that was closed for a while, and takes it out when its time is up,
 * as it does with those that were silent for too long.
 *
 * A flow that had time left was deleted on somebody's request (conntrack -D, a namespace that goes)
 * or evicted, because the table was full: early_drop_list() takes those that are not assured,
 * gc_worker() those that are closing, too. `evicting`: its end came while one of these was at work.
 */
static inline enum ctflow_end_reason end_reason_of(enum ctflow_time_left time, unsigned int proto,
                                                   unsigned int tcp_state, unsigned int sctp_state,
                                                   unsigned int status, int evicting) {
    if (flow_is_over(tcp_state, sctp_state, status))
        return CTFLOW_END_CLOSED;
    if (time == CTFLOW_TIME_UP)
        return CTFLOW_END_TIMEOUT;
    if (time == CTFLOW_TIME_UNKNOWN)
        return CTFLOW_END_UNKNOWN;
    if ((status & CTFLOW_STATUS_ASSURED) && !flow_is_closing(proto, tcp_state, sctp_state))
        return CTFLOW_END_DELETED;
    return evicting ? CTFLOW_END_EVICTED : CTFLOW_END_UNKNOWN;
}
