/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
#pragma once

#include <ctflow/detail/record.h>

/* What a program at a hook of netfilter's sends: an update, and what it takes to recognise the flow
 * in what ctnetlink says of its end. */
struct ctflow_netfilter_record {
    struct ctflow_record record;
    unsigned long long zone : 16;   /* Of the original direction. */
    unsigned long long begins : 1;  /* Its first packet: it is not in conntrack's table yet. */
    unsigned long long born : 1;    /* Its birth was seen: that is its origin. */
    unsigned long long follows : 1; /* CTFLOW_FLOW_FOLLOWS */
    unsigned long long age : 45;    /* From its origin to this record, as below. */
};

/* An origin (bpf/curve.h) as far as it takes to tell one flow from the next: in 2^10 ns. With the
 * 45 bits that there is room for, a year. */
#define CTFLOW_ORIGIN_SHIFT 10
#define CTFLOW_ORIGIN_MASK ((1ULL << 45) - 1)

static inline unsigned long long ctflow_origin_age(unsigned long long timestamp,
                                                   unsigned long long origin) {
    return ((timestamp >> CTFLOW_ORIGIN_SHIFT) - (origin >> CTFLOW_ORIGIN_SHIFT)) &
           CTFLOW_ORIGIN_MASK;
}

static inline int ctflow_same_origin(unsigned long long a, unsigned long long b) {
    return !ctflow_origin_age(a, b);
}
