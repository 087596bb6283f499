/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The rate decision: when may a flow send its next update? Plain C over plain values, so that the
 * unit tests compile the very same lines in user space. All times are nanoseconds of one clock.
 */
struct ctflow_curve {
    unsigned long long age[3];  /* rising */
    unsigned long long rate[3]; /* an update each so long, from that age on */
};

/* What is remembered of a flow between its packets. */
struct ctflow_flow_state {
    unsigned long long origin; /* its birth, as far as the curve is concerned; and what follows */
    unsigned long long next;   /* no update before this time: the flow is in cooldown */
};

/* In the lowest bits of an origin, which does not miss them. */
#define CTFLOW_FLOW_ADOPTED 1ULL    /* it began before anyone watched */
#define CTFLOW_FLOW_UNSEEN 2ULL     /* it began after, and nobody saw it */
#define CTFLOW_FLOW_OFFLOAD_SHIFT 2 /* who forwarded its packets at its last update, in 2 bits */
#define CTFLOW_FLOW_OFFLOAD (3ULL << CTFLOW_FLOW_OFFLOAD_SHIFT)
#define CTFLOW_FLOW_FOLLOWS 16ULL /* it began while another of its tuple was remembered */
#define CTFLOW_FLOW_BITS 31ULL

/*
 * A packet at time `now` of a flow that is out of cooldown: sets when the next update may be sent.
 * Returns zero if the flow is still too young for an update at all (below the first age).
 */
static inline int curve_sample(const struct ctflow_curve* curve, struct ctflow_flow_state* flow,
                               unsigned long long now) {
    /* An adopted flow may be older than the boot: origins wrap around, differences do not. */
    unsigned long long origin = flow->origin & ~CTFLOW_FLOW_BITS;
    long long elapsed = (long long)(now - origin);
    unsigned long long age = elapsed > 0 ? (unsigned long long)elapsed : 0;
    unsigned long long rate = curve->rate[0];

    if (age < curve->age[0]) {
        flow->next = origin + curve->age[0];
        return 0;
    }
    if (age >= curve->age[1])
        rate = curve->rate[1];
    if (age >= curve->age[2])
        rate = curve->rate[2];
    flow->next = now + rate;
    return 1;
}

/* A flow is new at time `now`. */
static inline int curve_begin(const struct ctflow_curve* curve, struct ctflow_flow_state* flow,
                              unsigned long long now) {
    flow->origin = now & ~CTFLOW_FLOW_BITS;
    return curve_sample(curve, flow, now);
}

/*
 * A flow that existed before anyone watched counts as of the second age: when a probe starts on a
 * busy host, not all of its flows should send at the pace of new ones.
 */
static inline int curve_adopt(const struct ctflow_curve* curve, struct ctflow_flow_state* flow,
                              unsigned long long now) {
    flow->origin = ((now - curve->age[1]) & ~CTFLOW_FLOW_BITS) | CTFLOW_FLOW_ADOPTED;
    return curve_sample(curve, flow, now);
}
