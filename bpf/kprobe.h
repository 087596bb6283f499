/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The programs for all other kernels. A return probe has no arguments: the probe at the entry
 * leaves them in the table of calls. The key is the stack pointer that the caller has once the
 * function returned. It belongs to one call alone, where a key by thread would mix up a call with
 * that of a softirq that interrupts it.
 */
#include "calls.h"
#include "evict.h"
#include "origin.h"
#include "trace.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

static __always_inline u64 caller_stack(struct pt_regs* regs, int returned) {
    u64 sp = PT_REGS_SP(regs);
#if defined(__TARGET_ARCH_x86)
    /* At entry the return address is still on the stack. */
    return returned ? sp : sp + 8;
#else
    return sp;
#endif
}

SEC("kprobe/__nf_conntrack_hash_insert")
int BPF_KPROBE(kprobe_insert, struct nf_conn* ct) {
    return on_insert(ctx, ct);
}

SEC("kprobe/__nf_conntrack_confirm")
int BPF_KPROBE(kprobe_confirm, struct sk_buff* skb) {
    return on_confirm_call(caller_stack(ctx, 0), skb);
}

SEC("kretprobe/__nf_conntrack_confirm")
int BPF_KRETPROBE(kretprobe_confirm, int verdict) {
    return on_confirm_return(ctx, caller_stack(ctx, 1), verdict);
}

SEC("kprobe/nf_conntrack_hash_check_insert")
int BPF_KPROBE(kprobe_check_insert, struct nf_conn* ct) {
    const struct call call = {.ct = (u64)ct};

    remember_call(caller_stack(ctx, 0), &call);
    return 0;
}

SEC("kretprobe/nf_conntrack_hash_check_insert")
int BPF_KRETPROBE(kretprobe_check_insert, int error) {
    struct call call;

    if (!take_call(caller_stack(ctx, 1), &call) || error)
        return 0;
    return on_insert(ctx, (const struct nf_conn*)call.ct);
}

SEC("kretprobe/__nf_conntrack_alloc")
int BPF_KRETPROBE(kretprobe_made, u64 made) {
    return on_made(made, caller_stack(ctx, 1));
}

SEC("kprobe/__nf_conntrack_confirm")
int BPF_KPROBE(kprobe_leaving, struct sk_buff* skb) {
    return on_leaving(skb);
}

SEC("kprobe/__nf_ct_refresh_acct")
int BPF_KPROBE(kprobe_accounting, struct nf_conn* ct) {
    const struct call call = {.ct = (u64)ct};

    if (surely_in_cooldown(ct) || in_cooldown(ct, find_flow(ct), bpf_ktime_get_boot_ns()))
        forget_call(caller_stack(ctx, 0));
    else
        remember_call(caller_stack(ctx, 0), &call);
    return 0;
}

SEC("kretprobe/__nf_ct_refresh_acct")
int BPF_KRETPROBE(kretprobe_accounting) {
    struct call call;

    if (!take_call(caller_stack(ctx, 1), &call))
        return 0;
    return on_accounting(ctx, (const struct nf_conn*)call.ct);
}

/* At its entry, which costs a third: an update may be a packet behind. */
SEC("kprobe/nf_ct_acct_add")
int BPF_KPROBE(kprobe_offloaded, struct nf_conn* ct) {
    return on_offloaded(ctx, ct);
}

SEC("kprobe/nf_ct_destroy")
int BPF_KPROBE(kprobe_destroy, struct nf_conn* ct) {
    return on_destroy(ctx, ct, caller_stack(ctx, 0));
}

SEC("kprobe/nf_ct_delete")
int BPF_KPROBE(kprobe_delete, struct nf_conn* ct) {
    return on_delete(ctx, ct, caller_stack(ctx, 0));
}

SEC("kprobe/early_drop")
int kprobe_early_drop(struct pt_regs* ctx) {
    return begin_evicting(caller_stack(ctx, 0));
}

SEC("kretprobe/early_drop")
int kretprobe_early_drop(struct pt_regs* ctx) {
    (void)ctx;
    return end_evicting();
}

SEC("kprobe/gc_worker")
int kprobe_collect(struct pt_regs* ctx) {
    return begin_evicting(caller_stack(ctx, 0));
}

SEC("kretprobe/gc_worker")
int kretprobe_collect(struct pt_regs* ctx) {
    (void)ctx;
    return end_evicting();
}
