/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
#pragma once

#include <ctflow/detail/record.h>

/*
 * A flow's status (enum ip_conntrack_status of the kernel's
 * uapi/linux/netfilter/nf_conntrack_common.h), and how a record without a trailer tells it: most
 * flows have none of the other bits. Plain C for both sides.
 */
#define CTFLOW_STATUS_SEEN_REPLY (1U << 1)
#define CTFLOW_STATUS_ASSURED (1U << 2)
#define CTFLOW_STATUS_CONFIRMED (1U << 3)
#define CTFLOW_STATUS_NAT_DONE (3U << 7) /* of the source and of the destination */
#define CTFLOW_STATUS_DYING (1U << 9)    /* of every flow whose end is told */

static inline void ctflow_set_status(struct ctflow_record* record, unsigned int status) {
    record->confirmed = (status & CTFLOW_STATUS_CONFIRMED) != 0;
    record->seen_reply = (status & CTFLOW_STATUS_SEEN_REPLY) != 0;
    record->assured = (status & CTFLOW_STATUS_ASSURED) != 0;
    record->nat_done = (status & CTFLOW_STATUS_NAT_DONE) != 0;
}

static inline unsigned int ctflow_status_of(const struct ctflow_record* record) {
    return (record->confirmed ? CTFLOW_STATUS_CONFIRMED : 0) |
           (record->seen_reply ? CTFLOW_STATUS_SEEN_REPLY : 0) |
           (record->assured ? CTFLOW_STATUS_ASSURED : 0) |
           (record->nat_done ? CTFLOW_STATUS_NAT_DONE : 0) |
           (record->kind == CTFLOW_RECORD_DESTROY ? CTFLOW_STATUS_DYING : 0);
}
