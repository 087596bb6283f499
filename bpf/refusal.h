/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * That a filter has refused a flow, and for how long nobody needs to ask again: in the place of the
 * time until which a flow is in cooldown (ctflow_flow_state::next), which has the highest bit clear
 * for 292 years. Plain C over plain values: the unit tests compile the same lines.
 *
 *   1 | 20 bits: which filter | 43 bits: until when, in 2^20 ns (1.05 ms)
 *
 * With another filter it is void, so that nobody has to go through the flow table when the filter
 * changes.
 */
#define CTFLOW_REFUSED (1ULL << 63)
#define CTFLOW_REFUSAL_TIME_BITS 43
#define CTFLOW_REFUSAL_TIME_MASK ((1ULL << CTFLOW_REFUSAL_TIME_BITS) - 1)
#define CTFLOW_REFUSAL_TIME_SHIFT 20
#define CTFLOW_REFUSAL_FILTER_MASK ((1ULL << 20) - 1)

/* `until`: in ns; all ones for good. */
static inline unsigned long long refusal_by(unsigned long long filter, unsigned long long until) {
    return CTFLOW_REFUSED | (filter & CTFLOW_REFUSAL_FILTER_MASK) << CTFLOW_REFUSAL_TIME_BITS |
           (until >> CTFLOW_REFUSAL_TIME_SHIFT & CTFLOW_REFUSAL_TIME_MASK);
}

/* Until when a flow is silent, by that word: it is in cooldown, or refused by this filter. Zero if
 * another filter refused it. */
static inline unsigned long long silent_until(unsigned long long word, unsigned long long filter) {
    if (!(word & CTFLOW_REFUSED))
        return word;
    if ((word >> CTFLOW_REFUSAL_TIME_BITS ^ filter) & CTFLOW_REFUSAL_FILTER_MASK)
        return 0;
    word &= CTFLOW_REFUSAL_TIME_MASK;
    return word == CTFLOW_REFUSAL_TIME_MASK ? ~0ULL : word << CTFLOW_REFUSAL_TIME_SHIFT;
}
