// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Accounts conntrack's flows without tracing: at netfilter's hooks through which packets leave
 * conntrack, LOCAL_IN and POST_ROUTING, right before conntrack confirms a new flow there. A packet
 * has been counted when it comes by. There is none at a flow's end: those are ctnetlink's to tell
 * (lib/ctnetlink).
 */
#define CTFLOW_TYPED_POINTERS
/* Nobody takes back the word of a flow that has ended without an event: its end tells a tuple, and
 * no address. A flow that has the address after it may come confirmed (conntrackd's do), so that
 * its first packet does not take it back either. So words do not last, and its state is looked at.
 */
#define CTFLOW_LONGEST_SILENCE 20000000000ULL
#include "flows.h"
#include "maps.h"
#include "netfilter_record.h"
#include "output.h"
#include "read.h"
#include "trailer.h"
#include "types.h"
#include "unreported.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The kernel's type of flows, by id in vmlinux. It has another that CO-RE takes for a flavour of
 * the same (nf_conn___init), so that user space has to look it up. */
const volatile unsigned int nf_conn_type = 0;

/* User space sets the size. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 18);
} updates_ring SEC(".maps");

/* What is sent: as that of tracing programs, with a tag between (netfilter_record.h). */
struct message {
    struct ctflow_netfilter_record update;
    union trailer_memory behind;
};

static __always_inline int output_update(struct message* message, u64 size) {
    int result = ring_output(&updates_ring, 0, 1, message, size);

    if (result)
        count(CTFLOW_UPDATES_LOST);
    return result;
}

static __attribute__((noinline)) int send_update(void* ctx, const struct flow* seen, u64 now,
                                                 const struct flow_counters* counted, u64 origin) {
    struct message message;
    struct ctflow_netfilter_record* update = &message.update;
    /* Not in conntrack's table yet, it is to be confirmed in a moment. */
    const int begins = !(seen->status & IPS_CONFIRMED);

    (void)ctx;
    __builtin_memset(update, 0, sizeof(*update));
    update->record.kind = CTFLOW_RECORD_UPDATE;
    fill(&update->record, &message.behind.tuple, seen, now, counted);
    barrier(); /* What is needed again is read again: the stack has no room for both. */
    update->zone = original_zone_of(seen->ct);
    update->begins = begins;
    update->born = !(origin & (CTFLOW_FLOW_ADOPTED | CTFLOW_FLOW_UNSEEN));
    update->follows = (origin & CTFLOW_FLOW_FOLLOWS) != 0;
    update->age = ctflow_origin_age(now, origin);
    /* That is when conntrack notes it, if it does at all. */
    if (begins && timestamps(seen))
        update->record.start = now + boot_to_real;
    if (!describe_more(seen, 1, offload_of(seen->status), 0, &update->record, &message.behind))
        return output_update(&message, sizeof(*update));
    message.behind.trailer.duration = 0;
    return output_update(&message, sizeof(message));
}

/* An ICMP error about a packet of the flow, or a reset by nft's reject: conntrack does not count it
 * (nf_conntrack_attach(), nf_conntrack_inet_error()). A flow that was expected is called related,
 * too, until it is answered (resolve_normal_ct()). */
static __always_inline int is_about_the_flow(u64 info, u64 status) {
    return info == IP_CT_RELATED + IP_CT_IS_REPLY ||
           (info == IP_CT_RELATED && !(status & IPS_EXPECTED));
}

/* linux/netfilter.h */
struct bpf_nf_ctx {
    const void* state;
    struct sk_buff* skb;
};

/* libbpf 1.1 does not know programs of this type: user space sets it. */
SEC("netfilter")
int netfilter_packet(struct bpf_nf_ctx* ctx) {
    const u64 nfct = ctx->skb->_nfct;
    const u64 address = nfct & ~NFCT_INFO_MASK;
    const struct nf_conn* ct;
    u64 status;

    if (!address || (nfct & NFCT_INFO_MASK) == IP_CT_UNTRACKED)
        return NF_ACCEPT;
    ct = bpf_rdonly_cast((const void*)address, nf_conn_type);
    status = KERNEL_READ(ct, status);
    if (status & IPS_TEMPLATE || is_about_the_flow(nfct & NFCT_INFO_MASK, status))
        return NF_ACCEPT;
    if (!(status & IPS_CONFIRMED))
        on_insert(ctx, ct);
    else if (!surely_in_cooldown(ct))
        on_accounting(ctx, ct);
    return NF_ACCEPT;
}
