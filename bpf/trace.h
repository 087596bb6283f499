/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What tracing programs do besides flows.h: they send records of either kind, and see ends.
 *
 *   destroy     a flow has ended; its counters are final
 *   free        its memory is about to be used for others
 */
#include "end.h"
#include "flows.h"
#include "trailer.h"
#include "transport.h"

/* Of a tick of the kernel's (1 / CONFIG_HZ), in ns. Set by user space. */
const volatile unsigned long long tick_length = 0;

static __always_inline void send_update(void* ctx, const struct flow* seen, u64 now,
                                        const struct flow_counters* counted, int begins) {
    struct message message;

    (void)begins;
    begin_message(&message, CTFLOW_RECORD_UPDATE);
    fill(&message.record, seen, now, counted);
    if (!describe_more(seen, 1, &message.record, &message.trailer)) {
        output_update(ctx, &message, sizeof(message.record));
        return;
    }
    message.trailer.duration = 0;
    output_update(ctx, &message, sizeof(message));
}

/* How long ago the flow's time was up, in ticks; less than zero if it was not. */
static __always_inline int overdue_ticks(const struct nf_conn* ct) {
    return (int)((u32)bpf_jiffies64() - KERNEL_READ(ct, timeout)); /* nf_ct_is_expired() */
}

/* Where its beginning was not seen it is the kernel that knows it, if anybody. */
static __always_inline u64 duration_of(const struct flow* seen, u64 origin, u64 ended) {
    u64 times[2] = {};
    u64 at;

    if (!(origin & CTFLOW_FLOW_ADOPTED))
        return ended - (origin & ~CTFLOW_FLOW_BITS);
    at = timestamps(seen);
    if (!at || !read_words(times, at, 2) || times[1] < times[0] || !times[0])
        return 0;
    return times[1] - times[0];
}

static __always_inline int is_over(const struct nf_conn* ct, const struct ctflow_record* record) {
    return tcp_is_over(record->tcp_state) ||
           (record->proto == PROTO_SCTP && KERNEL_READ(ct, proto.sctp.state) == CTFLOW_SCTP_CLOSED);
}

/* `origin`: as it was remembered of the flow. */
static __always_inline int tell_end(void* ctx, struct flow* seen, int has_master, u64 origin) {
    const int overdue = overdue_ticks(seen->ct);
    struct flow_counters counted;
    struct message message;
    u64 now;

    if (!read_counters(seen, &counted)) {
        count(CTFLOW_EVENTS_UNACCOUNTED);
        return 0;
    }
    now = bpf_ktime_get_boot_ns();
    if (origin & CTFLOW_FLOW_OFFLOADED)
        seen->status |= IPS_OFFLOAD; /* It is none any more when it ends. */
    begin_message(&message, CTFLOW_RECORD_DESTROY);
    fill(&message.record, seen, now, &counted);
    message.record.end_reason = end_reason_of(overdue >= 0, is_over(seen->ct, &message.record),
                                              message.record.tcp_state, (u32)seen->status);
    message.trailer.duration =
        duration_of(seen, origin, now - (overdue > 0 ? overdue * tick_length : 0));
    if (describe_more(seen, has_master, &message.record, &message.trailer))
        output_destroy(ctx, &message, sizeof(message));
    else
        output_destroy(ctx, &message, sizeof(message.record) + sizeof(message.trailer.duration));
    return 0;
}

/* Packets that the stack forwards may come by here too, and are not meant. */
static __always_inline int on_offloaded(void* ctx, const struct nf_conn* ct) {
    if (surely_in_cooldown(ct) || !(KERNEL_READ(ct, status) & IPS_OFFLOAD))
        return 0;
    return on_accounting(ctx, ct);
}

static __always_inline int on_destroy(void* ctx, const struct nf_conn* ct) {
    const struct ctflow_flow_state* state;
    u64 origin = CTFLOW_FLOW_ADOPTED; /* What is not known was not seen to begin. */
    struct flow seen = {};
    u64 key = (u64)ct;

    look_at(&seen, ct);
    if (!was_flow(seen.status))
        return 0;
    state = find_flow(ct);
    if (state) {
        origin = state->origin;
        bpf_map_delete_elem(&flows, &key);
    }
    forget_cooldown(ct);
    return tell_end(ctx, &seen, 1, origin);
}

/*
 * The flow's memory is given back; its counters are still there. Whether its end has been told is
 * seen by its place in the flow table, which is given up then. A flow without a place was told, or
 * is one of those that program_misses counts.
 */
static __always_inline int on_free(void* ctx, const struct nf_conn* ct) {
    const struct ctflow_flow_state* state = find_flow(ct);
    struct flow seen = {};
    u64 key = (u64)ct;
    u64 origin;

    if (!state)
        return 0;
    origin = state->origin;
    if (bpf_map_delete_elem(&flows, &key))
        return 0;
    forget_cooldown(ct);
    look_at(&seen, ct);
    return was_flow(seen.status) ? tell_end(ctx, &seen, 0, origin) : 0;
}

/* nf_ct_delete takes a flow out of the conntrack table, and leaves it alone if that was done
 * before. Packets on their way may still be counted after. */
static __always_inline int on_delete(void* ctx, const struct nf_conn* ct) {
    return is_alive(KERNEL_READ(ct, status)) ? on_destroy(ctx, ct) : 0;
}
