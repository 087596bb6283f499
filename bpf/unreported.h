/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Where flows are remembered by netfilter's hooks. User space gives back the place of one in
 * `flows` at its end, which ctnetlink tells, by the address of its nf_conn, which the flow's events
 * have told. So those that have had none are elsewhere: too young for the curve, or refused by the
 * filter. Not all of these have an end that anybody tells: one whose first packet is dropped
 * further on has not, and netlink loses some. So the table is an LRU: full, it forgets one for each
 * new one. What is forgotten is found again by its next packet, like what nobody saw begin.
 *
 * A flow that is new while another of its tuple is here follows that one (CTFLOW_FLOW_FOLLOWS): the
 * end of the former has not been told yet, and must not be taken for its own. Or the former never
 * came to be.
 */
#include "conntrack.h"
#include "describe.h"
#include "maps.h"
#include "trailer.h"
#include "types.h"
#include "unreported_key.h"

#include <bpf/bpf_helpers.h>

/* Whether there are any. If not, to the verifier all of this is dead code. */
const volatile unsigned char keep_unreported = 0;

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __type(key, struct ctflow_unreported_key);
    __type(value, struct ctflow_flow_state);
    __uint(max_entries, 65536);
} unreported SEC(".maps");

static __always_inline void key_of(struct ctflow_unreported_key* key, const struct nf_conn* ct) {
    const struct nf_conntrack_tuple* original = &ct->tuplehash[0].tuple;

    read_address(key->src_addr, &original->src.u3);
    read_address(key->dst_addr, &original->dst.u3);
    key->src_port = KERNEL_READ(original, src.u.all);
    key->dst_port = KERNEL_READ(original, dst.u.all);
    key->zone = original_zone_of(ct);
    key->proto = KERNEL_READ(original, dst.protonum);
    key->family = (u8)KERNEL_READ(original, src.l3num);
}

/* These are not inlined: keys take stack. */
static __attribute__((noinline)) struct ctflow_flow_state*
look_up_unreported(const struct nf_conn* ct) {
    struct ctflow_unreported_key key;

    key_of(&key, ct);
    return bpf_map_lookup_elem(&unreported, &key);
}

static __attribute__((noinline)) long
keep_as_unreported(const struct nf_conn* ct, const struct ctflow_flow_state* state, u64 flags) {
    struct ctflow_flow_state flow = *state;
    struct ctflow_unreported_key key;

    key_of(&key, ct);
    if (bpf_map_lookup_elem(&unreported, &key))
        flow.origin |= CTFLOW_FLOW_FOLLOWS;
    return bpf_map_update_elem(&unreported, &key, &flow, flags);
}

/* Returns zero if there was one of its tuple. */
static __attribute__((noinline)) long forget_unreported(const struct nf_conn* ct) {
    struct ctflow_unreported_key key;

    key_of(&key, ct);
    return bpf_map_delete_elem(&unreported, &key);
}

static __always_inline struct ctflow_flow_state* find_unreported(const struct nf_conn* ct) {
    return keep_unreported ? look_up_unreported(ct) : 0;
}

static __always_inline long remember_new(const struct nf_conn* ct, struct ctflow_flow_state* state,
                                         int told) {
    u64 key = (u64)ct;

    if (keep_unreported && !told) {
        bpf_map_delete_elem(&flows, &key);
        return keep_as_unreported(ct, state, BPF_ANY);
    }
    if (keep_unreported && !forget_unreported(ct))
        state->origin |= CTFLOW_FLOW_FOLLOWS;
    return bpf_map_update_elem(&flows, &key, state, BPF_ANY);
}

static __always_inline long remember_found(const struct nf_conn* ct,
                                           const struct ctflow_flow_state* state, int told,
                                           int is_unreported) {
    u64 key = (u64)ct;
    long result;

    if (keep_unreported && !told)
        return is_unreported ? 0 : keep_as_unreported(ct, state, BPF_NOEXIST);
    result = bpf_map_update_elem(&flows, &key, state, BPF_NOEXIST);
    if (!result && is_unreported)
        forget_unreported(ct);
    return result;
}

/* User space still does not know it. A later packet is to tell. */
static __always_inline void remember_unsent(const struct nf_conn* ct,
                                            const struct ctflow_flow_state* state) {
    u64 key = (u64)ct;

    bpf_map_delete_elem(&flows, &key);
    if (keep_unreported)
        keep_as_unreported(ct, state, BPF_ANY);
}
