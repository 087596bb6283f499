/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * A filter (ctflow/filter.hpp) as the kernel runs it: tests, each of which says where to go on, or
 * what the verdict is. Jumps go forward only. Plain C over plain values: the unit tests compile the
 * same lines.
 *
 * Whatever is in the table, it ends after CTFLOW_FILTER_TESTS tests and reads nothing beyond them:
 * what makes no sense refuses.
 *
 * The table belongs into a map that the program may write to (.bss will do), not into .rodata. What
 * is constant the verifier knows, and follows all ways through this very table: for one of 64 tests
 * more than the million instructions that it goes through at most. Of one that it does not know it
 * takes anything to be possible, in 50,000.
 */
#include "filter_subject.h"

#define CTFLOW_FILTER_TESTS 64

/* Where an exit leads, unless to the test of that number. */
#define CTFLOW_FILTER_ACCEPT 254
#define CTFLOW_FILTER_REJECT 255

enum ctflow_filter_op {
    CTFLOW_FILTER_FAMILY,
    CTFLOW_FILTER_PROTO,
    CTFLOW_FILTER_ADDRESS, /* of that family */
    CTFLOW_FILTER_PORT,    /* of a protocol that has ports */
    CTFLOW_FILTER_MARK,
    CTFLOW_FILTER_ZONE,
    CTFLOW_FILTER_NETNS,
    CTFLOW_FILTER_BYTES,
    CTFLOW_FILTER_PACKETS,
    CTFLOW_FILTER_AGE, /* The last. */
};

/* Whose address or port: one of those that are named must do. */
enum ctflow_filter_ends { CTFLOW_FILTER_SRC = 1, CTFLOW_FILTER_DST = 2 };

/* What may turn a test's result while the flow lives, from what it is. Counters and ages only grow,
 * so that "at least" once true stays true. (Whoever zeroes counters, conntrack -L -z, sets them
 * back: docs/filters.md.) */
enum ctflow_filter_change {
    CTFLOW_FILTER_MARK_CHANGES = 1,
    CTFLOW_FILTER_COUNTERS_CHANGE = 2,
    CTFLOW_FILTER_AGE_CHANGES = 4,
};

struct ctflow_filter_exit {
    unsigned char to;
    unsigned char changes; /* enum ctflow_filter_change: of this result */
};

/* Passes if low <= (number & mask) <= low + span. */
struct ctflow_filter_number {
    unsigned long long low;
    unsigned long long span;
    unsigned long long mask;
};

/* Passes what it is equal to where the mask has ones. */
struct ctflow_filter_address {
    unsigned long long words[2]; /* as in the subject */
    unsigned long long mask[2];
};

struct ctflow_filter_test {
    unsigned char op;
    unsigned char ends;
    unsigned char family;
    unsigned char unused;
    struct ctflow_filter_exit yes;
    struct ctflow_filter_exit no;
    union {
        struct ctflow_filter_number number;
        struct ctflow_filter_address address;
    };
};

struct ctflow_filter_program {
    unsigned int length;  /* tests; zero accepts all */
    unsigned int changes; /* enum ctflow_filter_change: of any of its tests */
    struct ctflow_filter_test tests[CTFLOW_FILTER_TESTS];
};

/*
 * What a verdict will be worth later. Only the tests that were made count: of `proto tcp and bytes
 * >= 1M` a UDP flow is refused for good, and a TCP flow until it has moved more.
 */
struct ctflow_filter_outlook {
    unsigned int changes; /* enum ctflow_filter_change; zero: it holds as long as the flow lives */
    unsigned long long age; /* if the age changes it: not below this one, in ns */
};

static inline int filter_has_ports(unsigned char proto) {
    /* TCP, UDP, DCCP, SCTP, UDP-Lite: see event::has_ports(). */
    return proto == 6 || proto == 17 || proto == 33 || proto == 132 || proto == 136;
}

/* One comparison: what is below `low` wraps around to something large. */
static inline int filter_is_in(const struct ctflow_filter_test* test, unsigned long long number) {
    return (number & test->number.mask) - test->number.low <= test->number.span;
}

static inline int filter_is_of(const struct ctflow_filter_test* test,
                               const unsigned long long* words) {
    return (((words[0] ^ test->address.words[0]) & test->address.mask[0]) |
            ((words[1] ^ test->address.words[1]) & test->address.mask[1])) == 0;
}

/* What a test of a number is about. */
static inline unsigned long long filter_number(unsigned char op,
                                               const struct ctflow_filter_subject* subject) {
    switch (op) {
    case CTFLOW_FILTER_FAMILY:
        return subject->family;
    case CTFLOW_FILTER_PROTO:
        return subject->proto;
    case CTFLOW_FILTER_MARK:
        return subject->mark;
    case CTFLOW_FILTER_ZONE:
        return subject->zone;
    case CTFLOW_FILTER_NETNS:
        return subject->netns;
    case CTFLOW_FILTER_BYTES:
        return subject->bytes;
    case CTFLOW_FILTER_PACKETS:
        return subject->packets;
    default:
        return subject->age;
    }
}

static inline int filter_passes(const struct ctflow_filter_test* test,
                                const struct ctflow_filter_subject* subject) {
    int src = test->ends & CTFLOW_FILTER_SRC;
    int dst = test->ends & CTFLOW_FILTER_DST;

    switch (test->op) {
    case CTFLOW_FILTER_ADDRESS:
        return subject->family == test->family && ((src && filter_is_of(test, subject->src_addr)) ||
                                                   (dst && filter_is_of(test, subject->dst_addr)));
    case CTFLOW_FILTER_PORT:
        return filter_has_ports(subject->proto) &&
               ((src && filter_is_in(test, subject->src_port)) ||
                (dst && filter_is_in(test, subject->dst_port)));
    default:
        return filter_is_in(test, filter_number(test->op, subject));
    }
}

/* Whether the flow is let through, and what that is worth later. */
static inline int filter_judge(const struct ctflow_filter_program* program,
                               const struct ctflow_filter_subject* subject,
                               struct ctflow_filter_outlook* outlook) {
    unsigned long long length = program->length;
    unsigned long long at = 0;
    int made;

    outlook->changes = 0;
    outlook->age = ~0ULL;
    if (!length)
        return 1;

        /* One test a turn. Unrolled it would be too large for jumps of 16 bits. */
#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
    for (made = 0; made < CTFLOW_FILTER_TESTS; ++made) {
        const struct ctflow_filter_test* test;
        const struct ctflow_filter_exit* taken;
        unsigned long long to;

        /* Nor are loads to be made before it: the stack has no room for what they bring. */
#ifdef __bpf__
        asm volatile("" ::: "memory");
#endif
        if (at >= CTFLOW_FILTER_TESTS || at >= length)
            return 0;
        test = &program->tests[at];
        if (test->op > CTFLOW_FILTER_AGE)
            return 0;
        taken = filter_passes(test, subject) ? &test->yes : &test->no;
        outlook->changes |= taken->changes;
        if ((taken->changes & CTFLOW_FILTER_AGE_CHANGES) && test->number.low < outlook->age)
            outlook->age = test->number.low;
        to = taken->to;
        if (to == CTFLOW_FILTER_ACCEPT)
            return 1;
        if (to <= at) /* Never back. */
            return 0;
        at = to;
    }
    return 0;
}

static inline int filter_accepts(const struct ctflow_filter_program* program,
                                 const struct ctflow_filter_subject* subject) {
    struct ctflow_filter_outlook outlook;

    return filter_judge(program, subject, &outlook);
}
