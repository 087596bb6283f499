/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Conntrack's types, as much of them as is read here. CO-RE finds the fields by name on the
 * kernel that the program is loaded into. Sources: include/net/netfilter/nf_conntrack*.h.
 */
#include "read.h"
#include "types.h"

#include <ctflow/detail/record.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
    unsigned int inum;
};

struct net {
    struct ns_common ns;
};

typedef struct {
    struct net* net;
} possible_net_t;

/* The kernel's are unions; all that matters is at their start. */
union nf_inet_addr {
    u32 all[4];
};

union nf_conntrack_man_proto {
    u16 all;
};

struct nf_conntrack_man {
    union nf_inet_addr u3;
    union nf_conntrack_man_proto u;
    u16 l3num;
};

struct nf_conntrack_tuple {
    struct nf_conntrack_man src;
    struct {
        union nf_inet_addr u3;
        union {
            u16 all;
        } u;
        u8 protonum;
    } dst;
};

struct nf_conntrack_tuple_hash {
    struct nf_conntrack_tuple tuple;
};

struct ip_ct_tcp {
    u8 state;
};

union nf_conntrack_proto {
    struct ip_ct_tcp tcp;
};

struct nf_ct_ext {
    u8 offset[8];
};

struct nf_conntrack_zone {
    u16 id;
};

struct nf_conn {
    struct nf_conntrack_zone zone;
    struct nf_conntrack_tuple_hash tuplehash[2];
    unsigned long status;
    possible_net_t ct_net;
    u32 mark;
    struct nf_ct_ext* ext;
    union nf_conntrack_proto proto;
};

struct sk_buff {
    unsigned long _nfct; /* An nf_conn and, in the low bits, an enum ip_conntrack_info. */
};

#pragma clang attribute pop

/* Which extensions there are, and so their numbers, is up to the kernel's configuration. */
enum nf_ct_ext_id {
    NF_CT_EXT_ACCT = 3,
    NF_CT_EXT_TSTAMP = 5,
};

/* uapi/linux/netfilter/nf_conntrack_common.h */
#define IPS_CONFIRMED (1UL << 3)
#define IPS_DYING (1UL << 9)
#define IPS_TEMPLATE (1UL << 11)
#define IP_CT_IS_REPLY 3 /* This and all after it. */
#define IP_CT_UNTRACKED 7

#define NFCT_INFO_MASK 7UL /* ~NFCT_PTRMASK, linux/skbuff.h */

#define NF_ACCEPT 1 /* uapi/linux/netfilter.h */

#define PROTO_TCP 6

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

/* Its address, or zero if there is none. */
static __always_inline u64 ct_extension(const struct nf_conn* ct, u32 id) {
    const struct nf_ct_ext* ext = KERNEL_READ(ct, ext);
    u8 offset;

    if (!ext)
        return 0;
    offset = KERNEL_READ(ext, offset[id]);
    return offset ? number_of(ext) + offset : 0;
}

/* What was never confirmed never was in the table: refused, or clashed with another. Templates, in
 * which rules keep a zone, pass for confirmed. */
static __always_inline int ct_was_flow(const struct nf_conn* ct) {
    return (KERNEL_READ(ct, status) & (IPS_CONFIRMED | IPS_TEMPLATE)) == IPS_CONFIRMED;
}

/* Confirmed, and not on its way out. */
static __always_inline int ct_alive(const struct nf_conn* ct) {
    return (KERNEL_READ(ct, status) & (IPS_CONFIRMED | IPS_DYING)) == IPS_CONFIRMED;
}

/* Returns zero if the flow has no counters. */
static __always_inline int ct_counters(const struct nf_conn* ct, struct flow_counters* counters) {
    u64 acct = ct_extension(ct, bpf_core_enum_value(enum nf_ct_ext_id, NF_CT_EXT_ACCT));

    return acct && read_words((u64*)counters, acct, sizeof(*counters) / sizeof(u64));
}

/* Where it is noted when the flow began, or zero if that is not done. */
static __always_inline u64 ct_timestamp(const struct nf_conn* ct) {
    if (!bpf_core_enum_value_exists(enum nf_ct_ext_id, NF_CT_EXT_TSTAMP))
        return 0;
    return ct_extension(ct, bpf_core_enum_value(enum nf_ct_ext_id, NF_CT_EXT_TSTAMP));
}

/* When the flow began: the first member of nf_conn_tstamp. Zero if nobody noted it. */
static __always_inline u64 ct_start(const struct nf_conn* ct) {
    u64 tstamp = ct_timestamp(ct);
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

/* Everything but the counters, timestamp and kind. The record is zeroed before. */
static __always_inline void ct_describe(const struct nf_conn* ct, struct ctflow_record* record) {
    record->start = ct_start(ct);
    record->conntrack = (u64)ct;

    read_address(record->src_addr, &ct->tuplehash[0].tuple.src.u3);
    read_address(record->dst_addr, &ct->tuplehash[0].tuple.dst.u3);
    record->src_port = KERNEL_READ(ct, tuplehash[0].tuple.src.u.all);
    record->dst_port = KERNEL_READ(ct, tuplehash[0].tuple.dst.u.all);
    record->family = (u8)KERNEL_READ(ct, tuplehash[0].tuple.src.l3num);
    record->proto = KERNEL_READ(ct, tuplehash[0].tuple.dst.protonum);
    if (record->proto == PROTO_TCP)
        record->tcp_state = KERNEL_READ(ct, proto.tcp.state);

    record->netns = KERNEL_READ(ct, ct_net.net, ns.inum);
    if (bpf_core_field_exists(ct->mark)) /* CONFIG_NF_CONNTRACK_MARK */
        record->connmark = KERNEL_READ(ct, mark);
}
