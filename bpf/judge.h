/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Asks the filter whether a flow is wanted. */
#include "curve.h"
#include "describe.h"
#include "filter.h"
#include "maps.h"
#include "refusal.h"
#include "trailer.h"
#include "types.h"

#include <bpf/bpf_helpers.h>

/* Whether there can be a filter. If not, to the verifier all of this is dead code. */
const volatile unsigned char filtering = 0;

/* Which it is. User space exchanges the map, which waits until no program has the former any more
 * (maybe_wait_bpf_programs()), and counts this up after. So whoever sees a new number sees its
 * filter, or a newer one, as long as the number is read first. */
unsigned long long which_filter = 0;

struct filter_table {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(u32));
    __uint(value_size, sizeof(struct ctflow_filter_program)); /* By type it is declared alone. */
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, u32);
    __array(values, struct filter_table);
} filters SEC(".maps");

static __always_inline u64 the_filter(void) {
    return filtering ? *(const volatile u64*)&which_filter : 0;
}

/* Null if there is none. */
static __always_inline const struct ctflow_filter_program* filter_program(void) {
    u32 zero = 0;
    void* table = bpf_map_lookup_elem(&filters, &zero);

    return table ? bpf_map_lookup_elem(table, &zero) : 0;
}

/* When to ask again, of a flow that was born at that time, and may have another answer by then.
 * Marks and counters can change with any packet; a second is soon enough. */
static __always_inline u64 ask_again(const struct ctflow_filter_outlook* outlook, u64 birth,
                                     u64 now) {
    u64 at = ~0ULL;

    if (outlook->changes & CTFLOW_FILTER_AGE_CHANGES)
        at = birth + outlook->age;
    if (outlook->changes & (CTFLOW_FILTER_MARK_CHANGES | CTFLOW_FILTER_COUNTERS_CHANGE)) {
        u64 soon = now + 1000000000ULL;

        if (soon < at)
            at = soon;
    }
    return at;
}

/* When the flow began, by the clock of records: as it was seen, or as the kernel has noted it. If
 * neither is to be had, as the curve takes it. */
static __always_inline u64 birth_of(u64 origin, u64 start, u64 now) {
    if (start && (origin & (CTFLOW_FLOW_ADOPTED | CTFLOW_FLOW_UNSEEN)))
        return start - boot_to_real;
    if (!(origin & ~CTFLOW_FLOW_BITS)) /* Of an end that is all that was seen. */
        return now - rate_curve.age[1];
    return origin & ~CTFLOW_FLOW_BITS;
}

/*
 * Returns zero if the filter lets the flow through, else for how long it does not (refusal.h).
 *
 * Not static: the verifier goes through it but once, by itself, and not again for all that it knows
 * of the flow wherever it is called. That would be too much for it. Where types of pointers are
 * known, so are those of arguments; else, for Linux 5.10, the subject is handed over as a number.
 */
#ifdef CTFLOW_TYPED_POINTERS
#define HANDED(subject) (subject)
__attribute__((noinline)) u64 judge(const struct ctflow_filter_subject* subject, u64 birth,
                                    u64 now) {
#else
#define HANDED(subject) number_of(subject)
__attribute__((noinline)) u64 judge(u64 address, u64 birth, u64 now) {
    struct ctflow_filter_subject copy;
    const struct ctflow_filter_subject* subject = &copy;
#endif
    const u64 filter = the_filter(); /* Before its program. */
    const struct ctflow_filter_program* program;
    struct ctflow_filter_outlook outlook;

    if (!filtering)
        return 0;
    program = filter_program();
    if (!program || !subject)
        return 0;
#ifndef CTFLOW_TYPED_POINTERS
    bpf_probe_read_kernel(&copy, sizeof(copy), (const void*)address);
#endif
    if (filter_judge(program, subject, &outlook))
        return 0;
    return refusal_by(filter, ask_again(&outlook, birth, now));
}

/* What the filter asks of the flow: as filter_describe() has it from a record. */
static __always_inline void describe_subject(struct ctflow_filter_subject* subject,
                                             const struct flow* seen,
                                             const struct flow_counters* counted) {
    const struct nf_conn* ct = seen->ct;
    struct tuple original;

    read_tuple(&original, &ct->tuplehash[0].tuple);
    __builtin_memcpy(subject->src_addr, original.src_addr, sizeof(subject->src_addr));
    __builtin_memcpy(subject->dst_addr, original.dst_addr, sizeof(subject->dst_addr));
    subject->src_port = filter_port(original.src_port);
    subject->dst_port = filter_port(original.dst_port);
    subject->family = (u8)original.l3num;
    subject->proto = original.protonum;
    subject->bytes = counted->bytes_orig + counted->bytes_ret;
    subject->packets = counted->packets_orig + counted->packets_ret;
    subject->mark = mark_of(ct);
    subject->netns = netns_of(ct);
    subject->zone = zone_of(ct);
}

/* Whether the flow is let through. If not, says in state->next until when that holds. Not inlined:
 * it has a stack of its own. */
static __attribute__((noinline)) int wanted(const struct flow* seen,
                                            const struct flow_counters* counted, u64 now,
                                            struct ctflow_flow_state* state) {
    const u64 birth = birth_of(state->origin, start_of(seen), now);
    const s64 age = (s64)(now - birth); /* Births before the boot wrap around. */
    struct ctflow_filter_subject subject;
    u64 refusal;

    describe_subject(&subject, seen, counted);
    subject.age = age > 0 ? age : 0;
    refusal = judge(HANDED(&subject), birth, now);
    if (refusal)
        state->next = refusal;
    return !refusal;
}

static __always_inline int refused(const struct flow* seen, const struct flow_counters* counted,
                                   u64 now, struct ctflow_flow_state* state) {
    return filtering && !wanted(seen, counted, now, state);
}
