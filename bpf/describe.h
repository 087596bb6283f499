/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Reads what a record says out of a flow. */
#include "conntrack.h"
#include "read.h"
#include "types.h"

#include <ctflow/detail/record.h>
#include <ctflow/detail/status.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * nf_conn_acct, which only the module's BTF describes, if any: two counters, original and reply,
 * each of packets and bytes as atomic64_t. The same on every kernel since 3.11.
 */
struct flow_counters {
    u64 packets_orig;
    u64 bytes_orig;
    u64 packets_ret;
    u64 bytes_ret;
};

/* A flow, and what is read of it once. */
struct flow {
    const struct nf_conn* ct;
    u64 status;
    u64 extensions; /* their address, or zero if there are none */
    u8 offset[8];   /* of each, by its number; zero of those that are not there */
};

static __always_inline void look_at(struct flow* flow, const struct nf_conn* ct) {
    flow->ct = ct;
    flow->status = KERNEL_READ(ct, status);
    flow->extensions = number_of(KERNEL_READ(ct, ext));
    if (flow->extensions)
        read_words((u64*)flow->offset,
                   flow->extensions + bpf_core_field_offset(struct nf_ct_ext, offset), 1);
}

/* The address of an extension, or zero if there is none. */
static __always_inline u64 extension(const struct flow* flow, u32 id) {
    u8 offset;

    if (!flow->extensions || id >= sizeof(flow->offset))
        return 0;
    offset = flow->offset[id];
    return offset ? flow->extensions + offset : 0;
}

/* What was never confirmed never was in the table: refused, or clashed with another. Templates, in
 * which rules keep a zone, pass for confirmed. */
static __always_inline int was_flow(u64 status) {
    return (status & (IPS_CONFIRMED | IPS_TEMPLATE)) == IPS_CONFIRMED;
}

/* Confirmed, and not on its way out. */
static __always_inline int is_alive(u64 status) {
    return (status & (IPS_CONFIRMED | IPS_DYING)) == IPS_CONFIRMED;
}

/* Of one that is not looked at yet. */
static __always_inline int ct_alive(const struct nf_conn* ct) {
    return is_alive(KERNEL_READ(ct, status));
}

/* Returns zero if the flow has no counters. */
static __always_inline int read_counters(const struct flow* flow, struct flow_counters* counters) {
    u64 acct = extension(flow, bpf_core_enum_value(enum nf_ct_ext_id, NF_CT_EXT_ACCT));

    return acct && read_words((u64*)counters, acct, sizeof(*counters) / sizeof(u64));
}

/* Where it is noted when the flow began and ended (nf_conn_tstamp), or zero if that is not done. */
static __always_inline u64 timestamps(const struct flow* flow) {
    if (!bpf_core_enum_value_exists(enum nf_ct_ext_id, NF_CT_EXT_TSTAMP))
        return 0;
    return extension(flow, bpf_core_enum_value(enum nf_ct_ext_id, NF_CT_EXT_TSTAMP));
}

/* When the flow began: the first member of nf_conn_tstamp. Zero if nobody noted it. */
static __always_inline u64 start_of(const struct flow* flow) {
    u64 tstamp = timestamps(flow);
    u64 start = 0;

    if (tstamp)
        read_words(&start, tstamp, 1);
    return start;
}

static __always_inline void read_address(unsigned char* to, const union nf_inet_addr* from) {
#ifdef CTFLOW_TYPED_POINTERS
    for (int i = 0; i < 4; ++i) {
        u32 word = from->all[i];

        __builtin_memcpy(to + sizeof(word) * i, &word, sizeof(word));
    }
#else
    bpf_probe_read_kernel(to, sizeof(*from), from);
#endif
}

/* A tuple, laid out as the kernel does, always so far. Aligned to be compared by words. */
struct tuple {
    unsigned char src_addr[16];
    u16 src_port;
    u16 l3num;
    unsigned char dst_addr[16];
    u16 dst_port;
    u8 protonum;
    u8 dir;
} __attribute__((aligned(8)));

/* Whether this kernel does. Known when the program is loaded. */
static __always_inline int tuples_are_as_ours(void) {
    return bpf_core_field_offset(struct nf_conntrack_tuple, src.u3) == 0 &&
           bpf_core_field_offset(struct nf_conntrack_tuple, src.u.all) == 16 &&
           bpf_core_field_offset(struct nf_conntrack_tuple, src.l3num) == 18 &&
           bpf_core_field_offset(struct nf_conntrack_tuple, dst.u3) == 20 &&
           bpf_core_field_offset(struct nf_conntrack_tuple, dst.u.all) == 36 &&
           bpf_core_field_offset(struct nf_conntrack_tuple, dst.protonum) == 38;
}

static __always_inline void read_tuple(struct tuple* to, const struct nf_conntrack_tuple* from) {
#ifndef CTFLOW_TYPED_POINTERS /* For which one load each, without a call, is as good. */
    if (tuples_are_as_ours()) {
        bpf_probe_read_kernel(to, sizeof(*to), from);
        return;
    }
#endif
    __builtin_memset(to, 0, sizeof(*to));
    read_address(to->src_addr, &from->src.u3);
    read_address(to->dst_addr, &from->dst.u3);
    to->src_port = KERNEL_READ(from, src.u.all);
    to->dst_port = KERNEL_READ(from, dst.u.all);
    to->l3num = KERNEL_READ(from, src.l3num);
    to->protonum = KERNEL_READ(from, dst.protonum);
}

static __always_inline u32 netns_of(const struct nf_conn* ct) {
    return KERNEL_READ(ct, ct_net.net, ns.inum);
}

static __always_inline u32 mark_of(const struct nf_conn* ct) {
    if (!bpf_core_field_exists(ct->mark)) /* CONFIG_NF_CONNTRACK_MARK */
        return 0;
    return KERNEL_READ(ct, mark);
}

/* Everything but the counters, timestamp and kind. The record is zeroed before; `original` is some
 * memory, of which the stack has little. */
static __always_inline void describe(const struct flow* flow, struct ctflow_record* record,
                                     struct tuple* original) {
    const struct nf_conn* ct = flow->ct;

    record->start = start_of(flow);
    record->conntrack = (u64)ct;

    read_tuple(original, &ct->tuplehash[0].tuple);
    __builtin_memcpy(record->src_addr, original->src_addr, sizeof(record->src_addr));
    __builtin_memcpy(record->dst_addr, original->dst_addr, sizeof(record->dst_addr));
    record->src_port = original->src_port;
    record->dst_port = original->dst_port;
    record->family = (u8)original->l3num;
    record->proto = original->protonum;
    if (record->proto == PROTO_TCP)
        record->tcp_state = KERNEL_READ(ct, proto.tcp.state);

    ctflow_set_status(record, (u32)flow->status);
    record->netns = netns_of(ct);
    record->connmark = mark_of(ct);
}

/* The same, and all else but the kind. */
static __always_inline void fill(struct ctflow_record* record, struct tuple* scratch,
                                 const struct flow* seen, u64 now,
                                 const struct flow_counters* counted) {
    record->timestamp = now;
    record->packets_orig = counted->packets_orig;
    record->bytes_orig = counted->bytes_orig;
    record->packets_ret = counted->packets_ret;
    record->bytes_ret = counted->bytes_ret;
    describe(seen, record, scratch);
}
