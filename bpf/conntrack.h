/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Conntrack's types, as much of them as is read here. CO-RE finds the fields by name on the
 * kernel that the program is loaded into. Sources: include/net/netfilter/nf_conntrack*.h.
 */
#include "types.h"

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

struct ip_ct_tcp_state {
    u8 td_scale;
    u8 flags;
};

struct ip_ct_tcp {
    struct ip_ct_tcp_state seen[2];
    u8 state;
};

/* An enumeration to CO-RE, which tells them from integers; two of its values are in end.h. */
enum sctp_conntrack {
    SCTP_CONNTRACK_NONE,
};

struct ip_ct_sctp {
    enum sctp_conntrack state;
};

union nf_conntrack_proto {
    struct ip_ct_tcp tcp;
    struct ip_ct_sctp sctp;
};

struct nf_ct_ext {
    u8 offset[8];
};

struct nf_conntrack_zone {
    u16 id;
    u8 dir;
};

struct nf_conn {
    u32 timeout;
    struct nf_conntrack_zone zone;
    struct nf_conntrack_tuple_hash tuplehash[2];
    unsigned long status;
    possible_net_t ct_net;
    struct nf_conn* master;
    u32 mark;
    struct nf_ct_ext* ext;
    union nf_conntrack_proto proto;
};

struct sk_buff {
    void* sk;
    int skb_iif;
    unsigned long _nfct; /* An nf_conn and, in the low bits, an enum ip_conntrack_info. */
};

#pragma clang attribute pop

/* Which extensions there are, and so their numbers, is up to the kernel's configuration. */
enum nf_ct_ext_id {
    NF_CT_EXT_HELPER = 0,
    NF_CT_EXT_ACCT = 3,
    NF_CT_EXT_TSTAMP = 5,
    NF_CT_EXT_LABELS = 7,
};

/* uapi/linux/netfilter/nf_conntrack_common.h */
#define IPS_EXPECTED (1UL << 0)
#define IPS_CONFIRMED (1UL << 3)
#define IPS_DYING (1UL << 9)
#define IPS_TEMPLATE (1UL << 11)
#define IPS_OFFLOAD (1UL << 14)
#define IPS_HW_OFFLOAD (1UL << 15)
#define IP_CT_RELATED 1
#define IP_CT_IS_REPLY 3 /* This and all after it. */
#define IP_CT_UNTRACKED 7

#define NFCT_INFO_MASK 7UL /* ~NFCT_PTRMASK, linux/skbuff.h */

#define NF_ACCEPT 1 /* uapi/linux/netfilter.h */

#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_ICMPV6 58
#define PROTO_SCTP 132
