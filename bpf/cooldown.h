/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * A short cut for the packets of flows in cooldown, which are nearly all: a table of words in front
 * of the flow table, one slot for each of many flows. A word says of one flow until when it surely
 * is in cooldown, by the kernel's tick counter (jiffies), which is read without a call. What it
 * does not say, the flow table does. Plain C over plain values: the unit tests compile the same
 * lines.
 *
 *   28 bits of the flow's address that the slot does not tell | 36 bits of the time
 *
 * A word is read and written at once, so that address and time belong together. An nf_conn is
 * larger than 64 bytes, so that bits 6 and up tell any two apart; those above 50 are the same for
 * all memory that there is. 36 bits of ticks are two years at 1000 Hz.
 */
#define CTFLOW_COOLDOWN_TIME_BITS 36
#define CTFLOW_COOLDOWN_TIME_MASK ((1ULL << CTFLOW_COOLDOWN_TIME_BITS) - 1)
#define CTFLOW_COOLDOWN_ADDRESS_BITS 50
#define CTFLOW_COOLDOWN_MIN_BITS 16 /* 50 - 6 - 28: with fewer slots the tag would not do. */

/* A tick is 10 ms at most (100 Hz). Reckoned as 2^24 ns, 17 ms: a word is through well before its
 * flow's cooldown is, should the counter lag behind. It stands still while the machine is
 * suspended: after that a flow's update may be late by 10/17 of its cooldown, no more. */
#define CTFLOW_COOLDOWN_TICK_SHIFT 24
#define CTFLOW_COOLDOWN_LONGEST (1ULL << 30)

static inline unsigned long long cooldown_line(unsigned long long address) {
    return (address & ((1ULL << CTFLOW_COOLDOWN_ADDRESS_BITS) - 1)) >> 6;
}

/* `bits`: log2 of the number of slots. */
static inline unsigned int cooldown_slot(unsigned long long address, unsigned int bits) {
    unsigned long long line = cooldown_line(address);

    return (unsigned int)((line ^ line >> bits) & ((1ULL << bits) - 1));
}

static inline unsigned long long cooldown_tag(unsigned long long address, unsigned int bits) {
    return cooldown_line(address) >> bits << CTFLOW_COOLDOWN_TIME_BITS;
}

/* Zero, a word that holds for nobody, if the rest of the cooldown, in ns, is too short. */
static inline unsigned long long cooldown_word(unsigned long long address, unsigned int bits,
                                               unsigned long long ticks, unsigned long long rest) {
    unsigned long long length = rest >> CTFLOW_COOLDOWN_TICK_SHIFT;

    if (!length)
        return 0;
    if (length > CTFLOW_COOLDOWN_LONGEST)
        length = CTFLOW_COOLDOWN_LONGEST;
    return cooldown_tag(address, bits) | ((ticks + length) & CTFLOW_COOLDOWN_TIME_MASK);
}

static inline int cooldown_is_of(unsigned long long word, unsigned long long address,
                                 unsigned int bits) {
    return (word & ~CTFLOW_COOLDOWN_TIME_MASK) == cooldown_tag(address, bits);
}

/* Whether the flow is in cooldown for sure. */
static inline int cooldown_holds(unsigned long long word, unsigned long long address,
                                 unsigned int bits, unsigned long long ticks) {
    unsigned long long left = (word - ticks) & CTFLOW_COOLDOWN_TIME_MASK;

    /* More than the longest is less than nothing: it is over. */
    return word && cooldown_is_of(word, address, bits) && left - 1 < CTFLOW_COOLDOWN_LONGEST;
}
