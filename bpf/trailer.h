/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Reads out of a flow what few flows have. */
#include "conntrack.h"
#include "describe.h"
#include "read.h"
#include "types.h"

#include <ctflow/detail/trailer.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Whether each TCP flow has something to say: its sides. Set by user space. */
const volatile unsigned char tell_tcp_sides = 0;

static __always_inline int read_labels(const struct flow* flow, u64* labels) {
    u64 at;

    if (!bpf_core_enum_value_exists(enum nf_ct_ext_id, NF_CT_EXT_LABELS))
        return 0;
    at = extension(flow, bpf_core_enum_value(enum nf_ct_ext_id, NF_CT_EXT_LABELS));
    return at && read_words(labels, at, 2) && (labels[0] | labels[1]);
}

static __always_inline u16 zone_of(const struct nf_conn* ct) {
    if (!bpf_core_field_exists(ct->zone)) /* CONFIG_NF_CONNTRACK_ZONES */
        return 0;
    return KERNEL_READ(ct, zone.id);
}

/* A macro: CO-RE knows the elements of arrays by literal numbers alone. */
#define READ_SIDE(trailer, ct, direction)                                                          \
    do {                                                                                           \
        (trailer)->tcp_flags[direction] = KERNEL_READ(ct, proto.tcp.seen[direction].flags);        \
        (trailer)->tcp_scale[direction] = KERNEL_READ(ct, proto.tcp.seen[direction].td_scale);     \
    } while (0)

static __always_inline void read_reply(struct ctflow_trailer* trailer, const struct nf_conn* ct) {
    struct direction reply;

    read_tuple(&reply, &ct->tuplehash[1].tuple);
    trailer->reply = reply.ends;
    trailer->parts |= CTFLOW_TRAILER_REPLY;
}

/* A flow that was expected keeps the one that expected it, until nf_ct_destroy() gives that back.
 */
static __always_inline void read_master(struct ctflow_trailer* trailer, const struct nf_conn* ct) {
    const struct nf_conn* master = KERNEL_READ(ct, master);
    struct direction original;

    if (!master)
        return;
    read_tuple(&original, &master->tuplehash[0].tuple);
    trailer->master = number_of(master);
    trailer->master_ends = original.ends;
    trailer->master_proto = original.proto;
    trailer->master_family = original.family;
    trailer->parts |= CTFLOW_TRAILER_MASTER;
}

/*
 * Sets all but the first member, if there is something to say; else nothing. Returns whether there
 * is. Nearly all of it shows in the flow's status: conntrack says there whether it has changed the
 * flow's ends (nf_nat_setup_info()), and whether the flow was expected (init_conntrack()).
 * `has_master`: if so, what expected it is still held.
 */
static __always_inline int describe_more(const struct flow* flow, int has_master,
                                         const struct ctflow_record* record,
                                         struct ctflow_trailer* trailer) {
    const struct nf_conn* ct = flow->ct;
    const u32 status = (u32)flow->status;
    const u16 zone = zone_of(ct);
    const int sides = record->proto == PROTO_TCP;
    u64 labels[2];
    const int labelled = read_labels(flow, labels);

    if (status == ctflow_status_of(record) && !zone && !labelled && !(sides && tell_tcp_sides))
        return 0;
    __builtin_memset((char*)trailer + sizeof(trailer->duration), 0,
                     sizeof(*trailer) - sizeof(trailer->duration));
    trailer->parts = CTFLOW_TRAILER_STATUS;
    trailer->status = status;
    if (labelled) {
        trailer->labels[0] = labels[0];
        trailer->labels[1] = labels[1];
        trailer->parts |= CTFLOW_TRAILER_LABELS;
    }
    if (zone) {
        trailer->zone = zone;
        trailer->zone_dir = KERNEL_READ(ct, zone.dir);
    }
    if (status & IPS_NAT)
        read_reply(trailer, ct);
    if (has_master && (status & IPS_EXPECTED))
        read_master(trailer, ct);
    if (sides) {
        READ_SIDE(trailer, ct, 0);
        READ_SIDE(trailer, ct, 1);
        trailer->parts |= CTFLOW_TRAILER_TCP;
    }
    return 1;
}
