/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What tracing programs do besides flows.h: they send records of either kind, and see ends.
 *
 *   destroy     a flow has ended; its counters are final
 *   free        its memory is about to be used for others
 */
#include "flows.h"
#include "transport.h"

static __always_inline void send_update(void* ctx, const struct nf_conn* ct, u64 now,
                                        const struct flow_counters* counted, int begins) {
    struct ctflow_record record = {.kind = CTFLOW_RECORD_UPDATE};

    fill(&record, ct, now, counted);
    output_update(ctx, &record);
}

static __always_inline void send_destroy(void* ctx, const struct nf_conn* ct, u64 now,
                                         const struct flow_counters* counted) {
    struct ctflow_record record = {.kind = CTFLOW_RECORD_DESTROY};

    fill(&record, ct, now, counted);
    output_destroy(ctx, &record);
}

static __always_inline int tell_end(void* ctx, const struct nf_conn* ct) {
    struct flow_counters counted;

    if (ct_counters(ct, &counted))
        send_destroy(ctx, ct, bpf_ktime_get_boot_ns(), &counted);
    else
        count(CTFLOW_EVENTS_UNACCOUNTED);
    return 0;
}

static __always_inline int on_destroy(void* ctx, const struct nf_conn* ct) {
    u64 key = (u64)ct;

    if (!ct_was_flow(ct))
        return 0;
    bpf_map_delete_elem(&flows, &key);
    forget_cooldown(ct);
    return tell_end(ctx, ct);
}

/*
 * The flow's memory is given back; its counters are still there. Whether its end has been told is
 * seen by its place in the flow table, which is given up then. A flow without a place was told, or
 * is one of those that program_misses counts.
 */
static __always_inline int on_free(void* ctx, const struct nf_conn* ct) {
    u64 key = (u64)ct;

    if (bpf_map_delete_elem(&flows, &key))
        return 0;
    forget_cooldown(ct);
    return ct_was_flow(ct) ? tell_end(ctx, ct) : 0;
}

/* nf_ct_delete takes a flow out of the conntrack table, and leaves it alone if that was done
 * before. Packets on their way may still be counted after. */
static __always_inline int on_delete(void* ctx, const struct nf_conn* ct) {
    return ct_alive(ct) ? on_destroy(ctx, ct) : 0;
}
