/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* The programs for kernels that trace conntrack's functions by their BTF. */
#include "calls.h"
#include "evict.h"
#include "origin.h"
#include "trace.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("fentry/__nf_conntrack_hash_insert")
int BPF_PROG(fentry_insert, struct nf_conn* ct) {
    return on_insert(ctx, ct);
}

SEC("fentry/__nf_conntrack_confirm")
int BPF_PROG(fentry_confirm, struct sk_buff* skb) {
    return on_confirm_call((u64)skb, skb);
}

SEC("fexit/__nf_conntrack_confirm")
int BPF_PROG(fexit_confirm, struct sk_buff* skb, int verdict) {
    return on_confirm_return(ctx, (u64)skb, verdict);
}

SEC("fexit/nf_conntrack_hash_check_insert")
int BPF_PROG(fexit_check_insert, struct nf_conn* ct, int error) {
    return error ? 0 : on_insert(ctx, ct);
}

/* Its arguments are others' business: what it returns follows them, however many there are. The
 * context is on the stack of who called. */
SEC("fexit/__nf_conntrack_alloc")
int fexit_made(void* ctx) {
    const u64 sp = number_of(ctx);
    u64 made = 0;

    if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_ret)) /* Linux 5.17 */
        return 0;
    bpf_get_func_ret(ctx, &made);
    return on_made(made, sp);
}

SEC("fentry/__nf_conntrack_confirm")
int BPF_PROG(fentry_leaving, struct sk_buff* skb) {
    return on_leaving(skb);
}

/* At its exit: the counters are updated inside. Only argument 0 is used, the others changed even
 * within stable series. */
SEC("fexit/__nf_ct_refresh_acct")
int BPF_PROG(fexit_accounting, struct nf_conn* ct) {
    return surely_in_cooldown(ct) ? 0 : on_accounting(ctx, ct);
}

SEC("fexit/nf_ct_acct_add")
int BPF_PROG(fexit_offloaded, struct nf_conn* ct) {
    return on_offloaded(ctx, ct);
}

SEC("fentry/nf_ct_destroy")
int BPF_PROG(fentry_destroy, struct nf_conn* ct) {
    return on_destroy(ctx, ct, number_of(ctx));
}

/*
 * The kernel does not run a program inside itself (bpf_prog.active, for each CPU): where a softirq
 * ends a flow while it interrupts fentry_destroy, that end goes past it. It comes by here.
 */
SEC("fentry/nf_conntrack_free")
int BPF_PROG(fentry_free, struct nf_conn* ct) {
    return on_free(ctx, ct, number_of(ctx));
}

SEC("fentry/nf_ct_delete")
int BPF_PROG(fentry_delete, struct nf_conn* ct) {
    return on_delete(ctx, ct, number_of(ctx));
}

/* As above, the context stands for the stack. */
SEC("fentry/early_drop")
int fentry_early_drop(void* ctx) {
    return begin_evicting(number_of(ctx));
}

SEC("fexit/early_drop")
int fexit_early_drop(void* ctx) {
    (void)ctx;
    return end_evicting();
}

SEC("fentry/gc_worker")
int fentry_collect(void* ctx) {
    return begin_evicting(number_of(ctx));
}

SEC("fexit/gc_worker")
int fexit_collect(void* ctx) {
    (void)ctx;
    return end_evicting();
}

/* To see whether programs like these can be attached, without seeing anything else: arm64 before
 * Linux 6.0 loads them all the same. */
SEC("fentry/nf_ct_destroy")
int fentry_trial(void* ctx) {
    (void)ctx;
    return 0;
}
