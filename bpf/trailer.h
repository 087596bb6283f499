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

/* Who began a flow: see origin.h. */
struct origin {
    u64 cgroup;
    unsigned char comm[16];
    u32 pid;
    u32 local; /* Set once that is sure. */
};

/* A trailer, and until there is one, memory to read tuples into: where the reply's ends will be,
 * for the stack has no room beside it. */
union trailer_memory {
    struct ctflow_trailer trailer;
    struct {
        unsigned char before[48];
        union {
            struct tuple tuple;
            struct ctflow_ends ends;
        };
    };
};
_Static_assert(__builtin_offsetof(struct ctflow_trailer, reply) == 48, "where the ends are");

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

/* linux/netfilter/nf_conntrack_zones_common.h */
#define NF_CT_ZONE_DIR_ORIG 1

/* The zone by which conntrack tells original tuples apart: nf_ct_zone_id() is 0 in a direction that
 * the zone does not hold for. */
static __always_inline u16 original_zone_of(const struct nf_conn* ct) {
    const u16 zone = zone_of(ct);

    return zone && KERNEL_READ(ct, zone.dir) & NF_CT_ZONE_DIR_ORIG ? zone : 0;
}

/* A macro: CO-RE knows the elements of arrays by literal numbers alone. */
#define READ_SIDE(trailer, ct, direction)                                                          \
    do {                                                                                           \
        (trailer)->tcp_flags[direction] = KERNEL_READ(ct, proto.tcp.seen[direction].flags);        \
        (trailer)->tcp_scale[direction] = KERNEL_READ(ct, proto.tcp.seen[direction].td_scale);     \
    } while (0)

/* Makes of the tuple in there the reply's ends. */
static __always_inline void take_reply(union trailer_memory* memory) {
    const u16 src_port = memory->tuple.src_port;
    const u16 dst_port = memory->tuple.dst_port;
    u64 dst[2];

    __builtin_memcpy(dst, memory->tuple.dst_addr, sizeof(dst));
    __builtin_memcpy(memory->ends.dst_addr, dst, sizeof(dst));
    memory->ends.src_port = src_port;
    memory->ends.dst_port = dst_port;
}

static __always_inline void clear(union trailer_memory* memory, u64 from, u64 to) {
    __builtin_memset((char*)memory + from, 0, to - from);
}

static __always_inline int same_address(const unsigned char* a, const unsigned char* b) {
    u64 x[2];
    u64 y[2];

    __builtin_memcpy(x, a, sizeof(x));
    __builtin_memcpy(y, b, sizeof(y));
    return !((x[0] ^ y[0]) | (x[1] ^ y[1]));
}

/* What the reply direction is unless something translates it. ICMP's type and code are no port: the
 * answer's are others. */
static __always_inline int is_mirror(const struct tuple* reply,
                                     const struct ctflow_record* record) {
    if (!same_address(reply->src_addr, record->dst_addr) ||
        !same_address(reply->dst_addr, record->src_addr))
        return 0;
    if (record->proto == PROTO_ICMP || record->proto == PROTO_ICMPV6)
        return reply->src_port == record->src_port;
    return reply->src_port == record->dst_port && reply->dst_port == record->src_port;
}

/* A flow that was expected keeps the one that expected it, until nf_ct_destroy() gives that back.
 */
static __always_inline void read_master(struct ctflow_trailer* trailer, const struct nf_conn* ct) {
    const struct nf_conn* master = KERNEL_READ(ct, master);
    struct ctflow_ends* ends = &trailer->master_ends;

    if (!master)
        return;
    read_address(ends->src_addr, &master->tuplehash[0].tuple.src.u3);
    read_address(ends->dst_addr, &master->tuplehash[0].tuple.dst.u3);
    ends->src_port = KERNEL_READ(master, tuplehash[0].tuple.src.u.all);
    ends->dst_port = KERNEL_READ(master, tuplehash[0].tuple.dst.u.all);
    trailer->master = number_of(master);
    trailer->master_proto = KERNEL_READ(master, tuplehash[0].tuple.dst.protonum);
    trailer->master_family = (u8)KERNEL_READ(master, tuplehash[0].tuple.src.l3num);
    trailer->parts |= CTFLOW_TRAILER_MASTER;
}

/* Who forwards a flow's packets: ctflow_trailer's. */
static __always_inline u8 offload_of(u64 status) {
    return (status & IPS_HW_OFFLOAD) ? 2 : (status & IPS_OFFLOAD) ? 1 : 0;
}

static __always_inline void take_origin(struct ctflow_trailer* trailer,
                                        const struct origin* origin) {
    trailer->cgroup = origin->cgroup;
    trailer->pid = origin->pid;
    __builtin_memcpy(trailer->comm, origin->comm, sizeof(trailer->comm));
    trailer->parts |= CTFLOW_TRAILER_PROCESS;
}

/*
 * Sets all but the first member, if there is something to say. Returns whether there is.
 * `has_master`: if so, what expected the flow is still held. `offload`: who forwards its packets,
 * or did. `origin`: who began it, or null.
 *
 * That a flow is translated shows in its tuples alone: IPVS alters the one of the reply direction
 * and says so nowhere (ip_vs_update_conntrack()).
 */
static __always_inline int describe_more(const struct flow* flow, int has_master, u8 offload,
                                         const struct origin* origin,
                                         const struct ctflow_record* record,
                                         union trailer_memory* memory) {
    struct ctflow_trailer* trailer = &memory->trailer;
    const struct nf_conn* ct = flow->ct;
    const u32 status = (u32)flow->status;
    const u16 zone = zone_of(ct);
    const int sides = record->proto == PROTO_TCP;
    const int labelled = read_labels(flow, trailer->labels);
    int translated;

    read_tuple(&memory->tuple, &ct->tuplehash[1].tuple);
    translated = !is_mirror(&memory->tuple, record);
    if (status == ctflow_status_of(record) && !translated && !zone && !labelled && !offload &&
        !origin && !(sides && tell_tcp_sides))
        return 0;
    if (!labelled)
        clear(memory, __builtin_offsetof(struct ctflow_trailer, labels),
              __builtin_offsetof(struct ctflow_trailer, master));
    clear(memory, __builtin_offsetof(struct ctflow_trailer, master),
          __builtin_offsetof(struct ctflow_trailer, reply));
    if (translated)
        take_reply(memory);
    else
        clear(memory, __builtin_offsetof(struct ctflow_trailer, reply),
              __builtin_offsetof(struct ctflow_trailer, master_ends));
    clear(memory, __builtin_offsetof(struct ctflow_trailer, master_ends), sizeof(*trailer));
    trailer->parts = CTFLOW_TRAILER_STATUS | (translated ? CTFLOW_TRAILER_REPLY : 0);
    trailer->status = status;
    trailer->offload = offload;
    if (labelled)
        trailer->parts |= CTFLOW_TRAILER_LABELS;
    if (zone) {
        trailer->zone = zone;
        trailer->zone_dir = KERNEL_READ(ct, zone.dir);
    }
    if (origin)
        take_origin(trailer, origin);
    if (has_master && (status & IPS_EXPECTED))
        read_master(trailer, ct);
    if (sides) {
        READ_SIDE(trailer, ct, 0);
        READ_SIDE(trailer, ct, 1);
        trailer->parts |= CTFLOW_TRAILER_TCP;
    }
    return 1;
}
