/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
#pragma once

/* The one definition that both sides compile (bpf/acct.bpf.c as C, ctflow/event.hpp as C++). Plain
 * integer types, since C for BPF has no <cstdint>; on both sides char is 1, short 2, int 4 and long
 * long 8 bytes. */

/**
 * The record that the BPF program sends for a flow, as it is in memory.
 *
 * It is conntracct's acct_event_t. That ended in three unnamed bytes of padding; here they have
 * names, two of them for each half. Integers are in host order but for the ports.
 *
 * A ctflow_trailer follows if there is more to say of the flow.
 */
struct ctflow_record {
    unsigned long long start;        /**< ns since the epoch, 0 without nf_conntrack_timestamp */
    unsigned long long timestamp;    /**< ns of CLOCK_BOOTTIME when the record was taken */
    unsigned long long conntrack;    /**< address of the kernel's nf_conn */
    unsigned char src_addr[16];      /**< original direction; IPv4 in the first 4 bytes */
    unsigned char dst_addr[16];      /**< the same */
    unsigned long long packets_orig; /**< original direction */
    unsigned long long bytes_orig;   /**< the same */
    unsigned long long packets_ret;  /**< reply direction */
    unsigned long long bytes_ret;    /**< the same */
    unsigned int connmark;           /**< nf_conn's mark */
    unsigned int netns;              /**< inode of the network namespace */
    unsigned short src_port; /**< network order, as the kernel has it; protocols without ports */
    unsigned short dst_port; /**< keep things of their own in these two */
    unsigned char proto;     /**< IPPROTO_* */
    unsigned char family;    /**< AF_INET or AF_INET6 */
    unsigned char kind : 4;  /**< enum ctflow_record_kind */
    unsigned char end_reason : 4; /**< enum ctflow_end_reason; 0 of an update */
    unsigned char tcp_state : 4;  /**< enum tcp_conntrack; 0 unless proto is TCP */
    unsigned char confirmed : 1;  /**< of nf_conn's status: it is in the table */
    unsigned char seen_reply : 1; /**< the same: packets have gone both ways */
    unsigned char assured : 1;    /**< the same: it is not dropped early */
    unsigned char nat_done : 1;   /**< the same: it has been through NAT, changed or not */
};

/** What a record says of its flow: event_kind's values. */
enum ctflow_record_kind {
    CTFLOW_RECORD_UPDATE = 1,
    CTFLOW_RECORD_DESTROY = 2,
};

/** Why a flow has ended: end_reason's values. */
enum ctflow_end_reason {
    CTFLOW_END_UNKNOWN,
    CTFLOW_END_TIMEOUT,
    CTFLOW_END_CLOSED,
    CTFLOW_END_DELETED,
    CTFLOW_END_EVICTED,
};

#ifdef __cplusplus
static_assert(sizeof(struct ctflow_record) == 104, "the record is 104 bytes on the wire");
#else
_Static_assert(sizeof(struct ctflow_record) == 104, "the record is 104 bytes on the wire");
#endif
