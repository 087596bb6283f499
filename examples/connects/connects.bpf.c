/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tells of each TCP connection that is begun through a network interface: the SYNs that leave. */
#include "attempt.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 18);
} attempts SEC(".maps");

/* The kernel does not count what finds no room in a ring buffer: its programs do. */
unsigned long long lost = 0;

static __always_inline int load(struct __sk_buff* skb, __u32 at, void* to, __u32 size) {
    return bpf_skb_load_bytes_relative(skb, at, to, size, BPF_HDR_START_NET) == 0;
}

/* Where the TCP header begins; 0 if there is none. */
static __always_inline __u32 read_ip(struct __sk_buff* skb, struct attempt* a) {
    struct iphdr ip4;
    struct ipv6hdr ip6;

    if (skb->protocol == bpf_htons(ETH_P_IP) && load(skb, 0, &ip4, sizeof(ip4)) &&
        ip4.protocol == IPPROTO_TCP && !(ip4.frag_off & bpf_htons(0x1fff))) {
        a->ip_version = 4;
        __builtin_memcpy(a->source, &ip4.saddr, 4);
        __builtin_memcpy(a->destination, &ip4.daddr, 4);
        return ip4.ihl * 4;
    }
    if (skb->protocol == bpf_htons(ETH_P_IPV6) && load(skb, 0, &ip6, sizeof(ip6)) &&
        ip6.nexthdr == IPPROTO_TCP) { /* Behind other headers, it is overlooked. */
        a->ip_version = 6;
        __builtin_memcpy(a->source, &ip6.saddr, 16);
        __builtin_memcpy(a->destination, &ip6.daddr, 16);
        return sizeof(ip6);
    }
    return 0;
}

SEC("tc")
int on_egress(struct __sk_buff* skb) {
    struct attempt a = {};
    struct tcphdr tcp;
    __u32 at = read_ip(skb, &a);

    if (!at || !load(skb, at, &tcp, sizeof(tcp)) || !tcp.syn || tcp.ack)
        return TC_ACT_UNSPEC;
    a.source_port = bpf_ntohs(tcp.source);
    a.destination_port = bpf_ntohs(tcp.dest);
    if (bpf_ringbuf_output(&attempts, &a, sizeof(a), 0))
        __sync_fetch_and_add(&lost, 1);
    return TC_ACT_UNSPEC; /* As if we were not here. */
}
