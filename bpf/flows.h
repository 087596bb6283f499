/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What is done at the moments of a flow's life, wherever and however they are hooked:
 *
 *   insert      a flow enters the conntrack table; its first packet has been counted
 *   accounting  a packet of a flow has been counted
 *
 * And, where that can be hooked, at its end: see trace.h.
 */
#include "conntrack.h"
#include "curve.h"
#include "describe.h"
#include "judge.h"
#include "maps.h"
#include "trailer.h"

/* As memory that the compiler does not know: it would take all of it to registers at once, and have
 * no stack for them. */
static __always_inline const struct ctflow_curve* the_curve(void) {
    const struct ctflow_curve* curve = (const struct ctflow_curve*)&rate_curve;

    barrier_var(curve);
    return curve;
}

/* Whoever includes this says how it travels, and whether it does: zero, or else it is lost, and
 * counted. `origin` is the flow's. */
static int send_update(void* ctx, const struct flow* seen, u64 now,
                       const struct flow_counters* counted, u64 origin);

/* And how flows are remembered besides those in `flows`: unreported.h; by tracing (trace.h) there
 * are no others. */
static struct ctflow_flow_state* find_unreported(const struct nf_conn* ct);

/* A flow is new, whatever was at its address. `told`: it has an event now. */
static long remember_new(const struct nf_conn* ct, struct ctflow_flow_state* state, int told);

/* A flow was not in `flows`. */
static long remember_found(const struct nf_conn* ct, const struct ctflow_flow_state* state,
                           int told, int is_unreported);

/* The first event of a flow was lost. */
static void remember_unsent(const struct nf_conn* ct, const struct ctflow_flow_state* state);

/* Whoever includes this may say how long a word of `cooldowns` holds at most, in ns. */
#ifndef CTFLOW_LONGEST_SILENCE
#define CTFLOW_LONGEST_SILENCE (~0ULL)
#endif

/* How long after an event was lost the next may be: a ring is full when there is much to do. */
#define RETRY_AFTER 100000000ULL /* ns */

static __always_inline struct ctflow_flow_state* find_flow(const struct nf_conn* ct) {
    u64 key = (u64)ct;

    return bpf_map_lookup_elem(&flows, &key);
}

/* The word of a flow, or of another that has it now. */
static __always_inline volatile u64* cooldown_of(const struct nf_conn* ct) {
    u32 slot = cooldown_slot(number_of(ct), cooldown_bits);

    return bpf_map_lookup_elem(&cooldowns, &slot);
}

/* The short way to know it. */
static __always_inline int surely_in_cooldown(const struct nf_conn* ct) {
    volatile u64* word = cooldown_of(ct);

    return word && cooldown_holds(*word, number_of(ct), cooldown_bits, bpf_jiffies64());
}

/* And how it comes to be known: `rest` ns of it are left. */
static __always_inline void note_cooldown(const struct nf_conn* ct, u64 rest) {
    volatile u64* word = cooldown_of(ct);
    u64 value;

    if (rest > CTFLOW_LONGEST_SILENCE)
        rest = CTFLOW_LONGEST_SILENCE;
    value = cooldown_word(number_of(ct), cooldown_bits, bpf_jiffies64(), rest);
    if (word && value)
        *word = value;
}

/* The same by the word of a flow's state. */
static __always_inline void note_silence(const struct nf_conn* ct, u64 next, u64 now) {
    if (filtering)
        next = silent_until(next, the_filter());
    if (next > now)
        note_cooldown(ct, next - now);
}

static __always_inline void forget_cooldown(const struct nf_conn* ct) {
    volatile u64* word = cooldown_of(ct);

    if (word && cooldown_is_of(*word, number_of(ct), cooldown_bits))
        *word = 0;
}

/* The long way. */
static __always_inline int in_cooldown(const struct nf_conn* ct,
                                       const struct ctflow_flow_state* flow, u64 now) {
    u64 next;

    if (!flow)
        return 0;
    next = *(const volatile u64*)&flow->next; /* Once: another CPU may be setting it. */
    if (filtering)
        next = silent_until(next, the_filter());
    if (now >= next)
        return 0;
    note_cooldown(ct, next - now);
    return 1;
}

/*
 * Looks at no status: current kernels set IPS_CONFIRMED after __nf_conntrack_hash_insert. And it
 * starts the flow's state afresh, whatever was there: the kernel uses the address of a freed
 * nf_conn again at once.
 */
static __always_inline int on_insert(void* ctx, const struct nf_conn* ct) {
    struct flow_counters counted;
    struct ctflow_flow_state flow;
    struct flow seen = {};
    u64 now;
    int told;

    look_at(&seen, ct);
    if (!read_counters(&seen, &counted)) {
        count(CTFLOW_EVENTS_UNACCOUNTED);
        return 0;
    }
    now = bpf_ktime_get_boot_ns();
    told = curve_begin(the_curve(), &flow, now) && !refused(&seen, &counted, now, &flow);
    forget_cooldown(ct);
    if (remember_new(ct, &flow, told))
        count(CTFLOW_FLOWS_UNTRACKED);
    else
        note_silence(ct, flow.next, now);
    if (told && send_update(ctx, &seen, now, &counted, flow.origin)) {
        flow.next = now + RETRY_AFTER;
        remember_unsent(ct, &flow);
        note_silence(ct, flow.next, now);
    }
    return 0;
}

static __always_inline u64 offload_bits(u64 status) {
    return (u64)offload_of(status) << CTFLOW_FLOW_OFFLOAD_SHIFT;
}

/* While a filter is asked, other CPUs leave the flow alone, but note no cooldown that it may not
 * have: shorter than what a word can say (cooldown.h). */
#define A_MOMENT (1ULL << (CTFLOW_COOLDOWN_TICK_SHIFT - 1))

/*
 * The path of every packet: who calls this has asked surely_in_cooldown(). Two CPUs that carry
 * packets of one flow at the very end of its cooldown may both send an update: harmless, and
 * cheaper than an atomic exchange for all.
 */
static __always_inline int on_accounting(void* ctx, const struct nf_conn* ct) {
    struct flow_counters counted;
    struct ctflow_flow_state state;
    const struct ctflow_curve* curve;
    struct flow seen = {};
    struct ctflow_flow_state* flow = find_flow(ct);
    const int known = flow != 0;
    u64 now = bpf_ktime_get_boot_ns();
    long result;
    int due;
    int told;

    if (!known)
        flow = find_unreported(ct);
    if (in_cooldown(ct, flow, now))
        return 0;

    /* Before it is confirmed a flow may yet be refused, and its insert is still to come. When it is
     * dying its end may have been told. */
    look_at(&seen, ct);
    if (!is_alive(seen.status) || !read_counters(&seen, &counted))
        return 0;

    curve = the_curve();
    if (flow) {
        state = *flow;
        due = curve_sample(curve, &state, now);
        flow->next = filtering ? now + A_MOMENT : state.next;
        if ((state.origin ^ offload_bits(seen.status)) & CTFLOW_FLOW_OFFLOAD)
            flow->origin = (state.origin & ~CTFLOW_FLOW_OFFLOAD) | offload_bits(seen.status);
    } else {
        /* One that began before anyone watched; or its insert went unseen, found no place, or was
         * forgotten. */
        u64 start = start_of(&seen);

        if (start > watching_since) {
            state.origin = ((start - boot_to_real) & ~CTFLOW_FLOW_BITS) | CTFLOW_FLOW_UNSEEN;
            due = curve_sample(curve, &state, now);
        } else {
            due = curve_adopt(curve, &state, now);
        }
        state.origin |= offload_bits(seen.status);
    }
    told = due && !refused(&seen, &counted, now, &state);
    if (flow && filtering)
        flow->next = state.next;
    if (!known) {
        result = remember_found(ct, &state, told, flow != 0);
        if (result) {
            if (result != -EEXIST) /* another CPU has just done so */
                count(CTFLOW_PACKETS_UNTRACKED);
            return 0;
        }
    }
    note_silence(ct, state.next, now);
    if (told && send_update(ctx, &seen, now, &counted, state.origin) && !known) {
        state.next = now + RETRY_AFTER;
        remember_unsent(ct, &state);
        note_silence(ct, state.next, now);
    }
    return 0;
}
