/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What a filter asks of a flow. Plain C over plain values, for both sides. */
#include <ctflow/detail/record.h>

/* The record's, which are those of Linux. BPF programs have no sys/socket.h. */
#define CTFLOW_FAMILY_IPV4 2  /* AF_INET */
#define CTFLOW_FAMILY_IPV6 10 /* AF_INET6 */

struct ctflow_filter_subject {
    unsigned long long src_addr[2]; /* as in the record: its bytes in memory, in two words */
    unsigned long long dst_addr[2]; /* the same */
    unsigned long long bytes;       /* of both directions */
    unsigned long long packets;     /* the same */
    unsigned long long age;         /* ns */
    unsigned int mark;
    unsigned int netns;
    unsigned short src_port; /* host order; of protocols without ports it does not matter */
    unsigned short dst_port; /* the same */
    unsigned short zone;
    unsigned char proto;
    unsigned char family;
};

/* A port is a network's number of two bytes, whatever the machine. */
static inline unsigned short filter_port(unsigned short network_order) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (unsigned short)(network_order << 8 | network_order >> 8);
#else
    return network_order;
#endif
}

/* What a record does not tell comes besides. */
static inline void filter_describe(struct ctflow_filter_subject* subject,
                                   const struct ctflow_record* record, unsigned short zone,
                                   unsigned long long age) {
    __builtin_memcpy(subject->src_addr, record->src_addr, sizeof(subject->src_addr));
    __builtin_memcpy(subject->dst_addr, record->dst_addr, sizeof(subject->dst_addr));
    subject->bytes = record->bytes_orig + record->bytes_ret;
    subject->packets = record->packets_orig + record->packets_ret;
    subject->age = age;
    subject->mark = record->connmark;
    subject->netns = record->netns;
    subject->src_port = filter_port(record->src_port);
    subject->dst_port = filter_port(record->dst_port);
    subject->zone = zone;
    subject->proto = record->proto;
    subject->family = record->family;
}
