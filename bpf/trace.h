/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What tracing programs do besides flows.h: they send records of either kind, and see ends.
 *
 *   destroy     a flow has ended; its counters are final
 *   free        its memory is about to be used for others
 */
#include "end.h"
#include "evict.h"
#include "flows.h"
#include "origin.h"
#include "trailer.h"
#include "transport.h"

/* Ends are seen here, of all flows: so all are in `flows`. */
static __always_inline struct ctflow_flow_state* find_unreported(const struct nf_conn* ct) {
    (void)ct;
    return 0;
}

static __always_inline long remember_new(const struct nf_conn* ct, struct ctflow_flow_state* state,
                                         int told) {
    u64 key = (u64)ct;

    (void)told;
    return bpf_map_update_elem(&flows, &key, state, BPF_ANY);
}

static __always_inline long remember_found(const struct nf_conn* ct,
                                           const struct ctflow_flow_state* state, int told,
                                           int is_unreported) {
    u64 key = (u64)ct;

    (void)told;
    (void)is_unreported;
    return bpf_map_update_elem(&flows, &key, state, BPF_NOEXIST);
}

static __always_inline void remember_unsent(const struct nf_conn* ct,
                                            const struct ctflow_flow_state* state) {
    (void)ct;
    (void)state;
}

/* Of a tick of the kernel's (1 / CONFIG_HZ), in ns. Set by user space. */
const volatile unsigned long long tick_length = 0;

/* Not inlined, like send_end(): the stack has 512 bytes, for both together. */
static __attribute__((noinline)) int send_update(void* ctx, const struct flow* seen, u64 now,
                                                 const struct flow_counters* counted, u64 origin) {
    struct message message;

    (void)origin;
    begin_message(&message, CTFLOW_RECORD_UPDATE);
    fill(&message.record, &message.behind.tuple, seen, now, counted);
    if (!describe_more(seen, 1, offload_of(seen->status), origin_of(&message.record.conntrack),
                       &message.record, &message.behind)) {
        output_update(ctx, &message, sizeof(message.record));
        return 0;
    }
    message.behind.trailer.duration = 0;
    output_update(ctx, &message, sizeof(message));
    return 0; /* Its end is seen here, whether or not this was lost. */
}

/* How long ago the flow's time was up, in ticks; less than zero if it was not. */
static __always_inline int overdue_ticks(const struct nf_conn* ct) {
    return (int)((u32)bpf_jiffies64() - KERNEL_READ(ct, timeout)); /* nf_ct_is_expired() */
}

/*
 * Others than conntrack's table may hold a flow that was taken out of it, so that its end comes
 * later: flows that it expected, and flowtables. When that was is known by the kernel's time stamp
 * alone, and whether its time was up then by nobody.
 */
static __always_inline int may_be_held(const struct flow* seen, u64 origin) {
    return (origin & CTFLOW_FLOW_OFFLOAD) ||
           extension(seen, bpf_core_enum_value(enum nf_ct_ext_id, NF_CT_EXT_HELPER));
}

static __always_inline u64 by_kernel_stamps(const struct flow* seen) {
    u64 at = timestamps(seen);
    u64 times[2] = {};

    if (!at || !read_words(times, at, 2) || !times[0] || times[1] < times[0])
        return 0;
    return times[1] - times[0];
}

/* By our clock, which nobody sets, where the flow was seen to begin, and it is sure when it ended.
 */
static __always_inline u64 duration_of(const struct flow* seen, u64 origin, int held, u64 ended) {
    const u64 began = origin & ~CTFLOW_FLOW_BITS;

    if (held || (origin & (CTFLOW_FLOW_ADOPTED | CTFLOW_FLOW_UNSEEN)))
        return by_kernel_stamps(seen);
    return ended > began ? ended - began : 0; /* A tick may be longer than a short life. */
}

static __always_inline enum ctflow_end_reason reason_of(const struct flow* seen,
                                                        const struct ctflow_record* record,
                                                        int held, int overdue, u64 sp) {
    const struct nf_conn* ct = seen->ct;
    u32 sctp = record->proto == PROTO_SCTP ? (u32)KERNEL_READ(ct, proto.sctp.state) : 0;
    int left = overdue < 0;

    return end_reason_of(left   ? CTFLOW_TIME_LEFT
                         : held ? CTFLOW_TIME_UNKNOWN
                                : CTFLOW_TIME_UP,
                         record->proto, record->tcp_state, sctp, (u32)seen->status,
                         left && is_evicting(sp));
}

/* What is known of a flow's end. */
struct ending {
    struct flow seen;
    struct flow_counters counted;
    struct ctflow_flow_state state; /* as it was remembered */
    u64 now;
    u64 has_master;
    u64 sp; /* of who ends it */
};

static __attribute__((noinline)) void send_end(void* ctx, const struct ending* end) {
    const struct flow* seen = &end->seen;
    const u8 offload = (end->state.origin & CTFLOW_FLOW_OFFLOAD) >> CTFLOW_FLOW_OFFLOAD_SHIFT;
    const int overdue = overdue_ticks(seen->ct);
    const int held = may_be_held(seen, end->state.origin);
    const u64 now = end->now;
    struct message message;
    int more;

    begin_message(&message, CTFLOW_RECORD_DESTROY);
    fill(&message.record, &message.behind.tuple, seen, now, &end->counted);
    message.record.end_reason = reason_of(seen, &message.record, held, overdue, end->sp);
    more = describe_more(seen, end->has_master, offload, origin_of(&message.record.conntrack),
                         &message.record, &message.behind);
    message.behind.trailer.duration =
        duration_of(seen, end->state.origin, held, now - (overdue > 0 ? overdue * tick_length : 0));
    if (more)
        output_destroy(ctx, &message, sizeof(message));
    else
        output_destroy(ctx, &message, sizeof(message.record) + sizeof(u64));
}

static __always_inline void tell_end(void* ctx, struct ending* end) {
    if (!read_counters(&end->seen, &end->counted)) {
        count(CTFLOW_EVENTS_UNACCOUNTED);
        return;
    }
    end->now = bpf_ktime_get_boot_ns();
    if (!refused(&end->seen, &end->counted, end->now, &end->state))
        send_end(ctx, end);
}

/* Packets that the stack forwards may come by here too, and are not meant. */
static __always_inline int on_offloaded(void* ctx, const struct nf_conn* ct) {
    if (surely_in_cooldown(ct) || !(KERNEL_READ(ct, status) & IPS_OFFLOAD))
        return 0;
    return on_accounting(ctx, ct);
}

static __always_inline int on_destroy(void* ctx, const struct nf_conn* ct, u64 sp) {
    struct ending end = {.state.origin = CTFLOW_FLOW_UNSEEN, .has_master = 1, .sp = sp};
    const struct ctflow_flow_state* state;
    u64 key = (u64)ct;

    look_at(&end.seen, ct);
    if (was_flow(end.seen.status)) {
        end.seen.status |= IPS_DYING; /* At nf_ct_delete in a moment. */
        state = find_flow(ct);
        if (state) {
            end.state.origin = state->origin;
            bpf_map_delete_elem(&flows, &key);
        }
        forget_cooldown(ct);
        tell_end(ctx, &end);
    }
    forget_origin(ct);
    return 0;
}

/*
 * The flow's memory is given back; its counters are still there. Whether its end has been told is
 * seen by its place in the flow table, which is given up then. A flow without a place was told, or
 * is one of those that program_misses counts.
 */
static __always_inline int on_free(void* ctx, const struct nf_conn* ct, u64 sp) {
    const struct ctflow_flow_state* state = find_flow(ct);
    struct ending end = {.has_master = 0, .sp = sp};
    u64 key = (u64)ct;

    if (state) {
        end.state.origin = state->origin;
        if (!bpf_map_delete_elem(&flows, &key)) {
            forget_cooldown(ct);
            look_at(&end.seen, ct);
            if (was_flow(end.seen.status))
                tell_end(ctx, &end);
        }
    }
    forget_origin(ct);
    return 0;
}

/* nf_ct_delete takes a flow out of the conntrack table, and leaves it alone if that was done
 * before. Packets on their way may still be counted after. */
static __always_inline int on_delete(void* ctx, const struct nf_conn* ct, u64 sp) {
    return ct_alive(ct) ? on_destroy(ctx, ct, sp) : 0;
}
