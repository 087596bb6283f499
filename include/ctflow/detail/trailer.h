/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
#pragma once

#include <ctflow/detail/record.h>

/** The ends of a direction of a flow, as nf_conntrack_tuple has them: see ctflow_record. */
struct ctflow_ends {
    unsigned char src_addr[16];
    unsigned char dst_addr[16];
    unsigned short src_port;
    unsigned short dst_port;
};

/** What of a trailer holds; the rest is not set. The status always does. */
enum ctflow_trailer_part {
    CTFLOW_TRAILER_STATUS = 1 << 0, /**< of every trailer that is there */
    CTFLOW_TRAILER_REPLY = 1 << 1,
    CTFLOW_TRAILER_LABELS = 1 << 2,
    CTFLOW_TRAILER_MASTER = 1 << 3,
    CTFLOW_TRAILER_TCP = 1 << 4,
    CTFLOW_TRAILER_PROCESS = 1 << 5,
};

/**
 * What most flows do without: it follows the record of those that have it. The record of an end is
 * followed by the first member in any case.
 */
struct ctflow_trailer {
    unsigned long long duration;  /**< ns, of an end; 0 if it is not known */
    unsigned int parts;           /**< enum ctflow_trailer_part; 0 if there is no more than that */
    unsigned int status;          /**< nf_conn's: enum ip_conntrack_status */
    unsigned long long labels[2]; /**< bit n of the first is label n */
    unsigned long long master;    /**< address of the nf_conn that expected this flow */
    unsigned long long cgroup;    /**< of the process that began the flow: id, cgroup v2 */
    struct ctflow_ends reply;     /**< where it is not the mirror of the original direction */
    struct ctflow_ends master_ends; /**< of its original direction */
    unsigned int pid;               /**< as cgroup: its thread group, in the first pid namespace */
    unsigned short zone;            /**< host order; 0 if in none */
    unsigned char zone_dir;      /**< directions that it holds for: 1 original, 2 reply, 3 both */
    unsigned char master_proto;  /**< IPPROTO_* */
    unsigned char master_family; /**< AF_INET or AF_INET6 */
    unsigned char offload;       /**< who forwards its packets: 1 a flowtable, 2 a device */
    unsigned char unused[2];
    unsigned char tcp_flags[2]; /**< of each direction: IP_CT_TCP_FLAG_* */
    unsigned char tcp_scale[2]; /**< the same: exponent of its window scale */
    unsigned char comm[16];     /**< as pid; not always terminated */
};

#ifdef __cplusplus
static_assert(sizeof(struct ctflow_trailer) == 152, "without padding");
#else
_Static_assert(sizeof(struct ctflow_trailer) == 152, "without padding");
#endif
