/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What a program at a function's return has to know from its call. */
#include "trace.h"
#include "types.h"

#include <bpf/bpf_helpers.h>

struct call {
    u64 ct;
    u64 skb;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, u64);
    __type(value, struct call);
    __uint(max_entries, 4096);
} calls SEC(".maps");

/* How many calls have left something there. While it is zero, as it is when all flows are in
 * cooldown, the return of a call need not look. */
int calls_under_way = 0;

static __always_inline void remember_call(u64 key, const struct call* call) {
    long result = bpf_map_update_elem(&calls, &key, call, BPF_NOEXIST);

    if (result == -EEXIST) /* Left behind by a return that the kernel missed. */
        result = bpf_map_update_elem(&calls, &key, call, BPF_EXIST);
    else if (!result)
        __sync_fetch_and_add(&calls_under_way, 1);
    if (result)
        count(CTFLOW_RETURNS_UNTRACKED);
}

/* A return that the kernel missed leaves its call behind; the next must not be taken for it. */
static __always_inline void forget_call(u64 key) {
    if (calls_under_way && !bpf_map_delete_elem(&calls, &key))
        __sync_fetch_and_add(&calls_under_way, -1);
}

/* Returns zero if the call left nothing. */
static __always_inline int take_call(u64 key, struct call* call) {
    struct call* found;

    if (!calls_under_way)
        return 0;
    found = bpf_map_lookup_elem(&calls, &key);
    if (!found)
        return 0;
    *call = *found;
    forget_call(key);
    return 1;
}

/*
 * __nf_conntrack_confirm, where the function that inserts is not to be had: the flow is the
 * packet's. Which it was at the call has to be remembered: if an equal flow was faster, the packet
 * is given to that one (nf_ct_resolve_clash), and it is none the newer for it.
 */
static __always_inline int on_confirm_call(u64 key, const struct sk_buff* skb) {
    struct call call = {.skb = (u64)skb};
    const u64 nfct = BPF_CORE_READ(skb, _nfct);

    call.ct = nfct & ~NFCT_INFO_MASK;
    if (call.ct && (nfct & NFCT_INFO_MASK) < IP_CT_IS_REPLY)
        remember_call(key, &call);
    else
        forget_call(key);
    return 0;
}

static __always_inline int on_confirm_return(void* ctx, u64 key, u32 verdict) {
    struct call call;
    const struct sk_buff* skb;

    if (!take_call(key, &call) || verdict != NF_ACCEPT)
        return 0;
    skb = (const struct sk_buff*)call.skb;
    if ((BPF_CORE_READ(skb, _nfct) & ~NFCT_INFO_MASK) != call.ct ||
        !ct_alive((const struct nf_conn*)call.ct))
        return 0;
    return on_insert(ctx, (const struct nf_conn*)call.ct);
}
