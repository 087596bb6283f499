// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Accounts conntrack's flows. Three moments matter:
 *
 *   insert      a flow enters the conntrack table; its first packet has been counted
 *   accounting  a packet of a flow has just been counted
 *   destroy     the last reference to a flow is gone; its counters are final
 *
 * Each has one function below, and the programs at the end of the file tie them to kernel
 * functions in two ways: fentry/fexit, and kprobe/kretprobe for kernels whose conntrack has no
 * BTF. User space loads the ones it has chosen.
 */
#include "conntrack.h"
#include "curve.h"
#include "maps.h"
#include "types.h"

#include <ctflow/detail/record.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* The kernel lets GPL-compatible programs alone use the helpers needed here. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline struct ctflow_curve the_curve(void) {
    struct ctflow_curve c = {
        .age = {rate_curve.age[0], rate_curve.age[1], rate_curve.age[2]},
        .rate = {rate_curve.rate[0], rate_curve.rate[1], rate_curve.rate[2]},
    };
    return c;
}

static __always_inline void fill(struct ctflow_record* record, const struct nf_conn* ct, u64 now,
                                 const struct flow_counters* counted) {
    record->timestamp = now;
    record->packets_orig = counted->packets_orig;
    record->bytes_orig = counted->bytes_orig;
    record->packets_ret = counted->packets_ret;
    record->bytes_ret = counted->bytes_ret;
    ct_describe(ct, record);
}

static __always_inline void send_update(void* ctx, const struct nf_conn* ct, u64 now,
                                        const struct flow_counters* counted) {
    struct ctflow_record record = {.kind = CTFLOW_RECORD_UPDATE};

    fill(&record, ct, now, counted);
    send(ctx, &updates, &record, CTFLOW_UPDATES_LOST);
}

static __always_inline void send_destroy(void* ctx, const struct nf_conn* ct, u64 now,
                                         const struct flow_counters* counted) {
    struct ctflow_record record = {.kind = CTFLOW_RECORD_DESTROY};

    fill(&record, ct, now, counted);
    send(ctx, &destroys, &record, CTFLOW_DESTROYS_LOST);
}

/*
 * Looks at no status: current kernels set IPS_CONFIRMED after this point. And it starts the
 * flow's state afresh, whatever was there: the kernel uses the address of a freed nf_conn again
 * at once.
 */
static __always_inline int on_insert(void* ctx, const struct nf_conn* ct) {
    const struct ctflow_curve curve = the_curve();
    struct flow_counters counted;
    struct ctflow_flow_state flow;
    u64 key = (u64)ct;
    u64 now;
    int due;

    if (!ct_counters(ct, &counted)) {
        count(CTFLOW_EVENTS_UNACCOUNTED);
        return 0;
    }
    now = bpf_ktime_get_boot_ns();
    due = curve_begin(&curve, &flow, now);
    if (bpf_map_update_elem(&flows, &key, &flow, BPF_ANY))
        count(CTFLOW_FLOWS_UNTRACKED);
    if (due)
        send_update(ctx, ct, now, &counted);
    return 0;
}

static __always_inline int in_cooldown(const struct ctflow_flow_state* flow, u64 now) {
    return flow && now < flow->next;
}

/*
 * The path of every packet. A flow in cooldown, the usual case, leaves after one look-up and one
 * look at the clock. Two CPUs that carry packets of one flow at the very end of its cooldown may
 * both send an update: harmless, and cheaper than an atomic exchange for all.
 */
static __always_inline int on_accounting(void* ctx, const struct nf_conn* ct) {
    struct flow_counters counted;
    struct ctflow_flow_state adopted;
    struct ctflow_curve curve;
    u64 key = (u64)ct;
    struct ctflow_flow_state* flow = bpf_map_lookup_elem(&flows, &key);
    u64 now = bpf_ktime_get_boot_ns();
    long result;
    int due;

    if (in_cooldown(flow, now))
        return 0;

    /* Without IPS_CONFIRMED the flow may yet be refused; its insert is still to come. */
    if (!ct_confirmed(ct) || !ct_counters(ct, &counted))
        return 0;

    curve = the_curve();
    if (flow) {
        due = curve_sample(&curve, flow, now);
    } else {
        due = curve_adopt(&curve, &adopted, now);
        result = bpf_map_update_elem(&flows, &key, &adopted, BPF_NOEXIST);
        if (result) {
            if (result != -EEXIST) /* another CPU has just adopted it */
                count(CTFLOW_PACKETS_UNTRACKED);
            return 0;
        }
    }
    if (due)
        send_update(ctx, ct, now, &counted);
    return 0;
}

/* Flows that were never confirmed never were in the table: refused, or clashed with another. */
static __always_inline int on_destroy(void* ctx, const struct nf_conn* ct) {
    struct flow_counters counted;
    u64 key = (u64)ct;

    if (!ct_confirmed(ct))
        return 0;
    bpf_map_delete_elem(&flows, &key);
    if (ct_counters(ct, &counted))
        send_destroy(ctx, ct, bpf_ktime_get_boot_ns(), &counted);
    else
        count(CTFLOW_EVENTS_UNACCOUNTED);
    return 0;
}

/* ---- fentry and fexit ---- */

SEC("fentry/__nf_conntrack_hash_insert")
int BPF_PROG(fentry_insert, struct nf_conn* ct) {
    return on_insert(ctx, ct);
}

/* At its exit: the counters are updated inside. Only argument 0 is used, the others changed even
 * within stable series. */
SEC("fexit/__nf_ct_refresh_acct")
int BPF_PROG(fexit_accounting, struct nf_conn* ct) {
    return on_accounting(ctx, ct);
}

SEC("fentry/nf_ct_destroy")
int BPF_PROG(fentry_destroy, struct nf_conn* ct) {
    return on_destroy(ctx, ct);
}

/* ---- kprobe and kretprobe ---- */

SEC("kprobe/__nf_conntrack_hash_insert")
int BPF_KPROBE(kprobe_insert, struct nf_conn* ct) {
    return on_insert(ctx, ct);
}

SEC("kprobe/nf_ct_destroy")
int BPF_KPROBE(kprobe_destroy, struct nf_conn* ct) {
    return on_destroy(ctx, ct);
}

/*
 * A return probe has no arguments: the entry probe leaves the nf_conn for it in a table of the
 * calls under way. The key is the stack pointer that the caller has once the function returned.
 * It belongs to one call alone, where a key by thread would mix up a call with that of a softirq
 * that interrupts it.
 */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, u64);
    __type(value, u64);
    __uint(max_entries, 4096);
} calls SEC(".maps");

/* How many calls have left something there. While it is zero, as it is when all flows are in
 * cooldown, the return probe need not look. */
int calls_under_way = 0;

static __always_inline u64 caller_stack(struct pt_regs* regs, int returned) {
    u64 sp = PT_REGS_SP(regs);
#if defined(__TARGET_ARCH_x86)
    /* At entry the return address is still on the stack. */
    return returned ? sp : sp + 8;
#else
    return sp;
#endif
}

SEC("kprobe/__nf_ct_refresh_acct")
int BPF_KPROBE(kprobe_accounting, struct nf_conn* ct) {
    u64 sp = caller_stack(ctx, 0);
    u64 key = (u64)ct;
    struct ctflow_flow_state* flow = bpf_map_lookup_elem(&flows, &key);

    if (in_cooldown(flow, bpf_ktime_get_boot_ns())) {
        /* A return probe that the kernel missed leaves an entry behind; this call must not be
         * taken for that one. */
        if (calls_under_way && !bpf_map_delete_elem(&calls, &sp))
            __sync_fetch_and_add(&calls_under_way, -1);
        return 0;
    }
    if (!bpf_map_update_elem(&calls, &sp, &key, BPF_NOEXIST))
        __sync_fetch_and_add(&calls_under_way, 1);
    else if (bpf_map_update_elem(&calls, &sp, &key, BPF_ANY))
        count(CTFLOW_RETURNS_UNTRACKED);
    return 0;
}

SEC("kretprobe/__nf_ct_refresh_acct")
int BPF_KRETPROBE(kretprobe_accounting) {
    u64 sp = caller_stack(ctx, 1);
    u64* found;
    u64 key;

    if (!calls_under_way)
        return 0;
    found = bpf_map_lookup_elem(&calls, &sp);
    if (!found)
        return 0;
    key = *found;
    if (!bpf_map_delete_elem(&calls, &sp))
        __sync_fetch_and_add(&calls_under_way, -1);
    return on_accounting(ctx, (const struct nf_conn*)key);
}
