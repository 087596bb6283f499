// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends messages of many lengths at a test's command, through a perf event array or a ring buffer
 * that know nothing of flows: run by BPF_PROG_TEST_RUN, on the CPU of the caller.
 */
#include "types.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define LONGEST 256
#define BPF_F_CURRENT_CPU 0xffffffffULL /* linux/bpf.h */

struct {
    __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    __type(key, u32);
    __type(value, u32);
} events SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 16);
} ring SEC(".maps");

unsigned int wanted = 0;        /* how many messages a run sends */
unsigned char through_ring = 0; /* else through the perf event array */
unsigned char quietly = 0;      /* into the ring, waking nobody */
unsigned char discarded = 0;    /* reserved in the ring, and then discarded */
unsigned char let_go = 0;       /* of the record that hold() holds */
unsigned char holding = 0;      /* it does */
unsigned long long refused = 0; /* how many found no room */

/* The number of the next, and then what user space has put there. */
unsigned long long message[LONGEST / 8] = {};

/* As much of it as the verifier wants to know a context by. */
struct __sk_buff {
    u32 len;
};

/* A length that the number tells, 8 to 135. */
static __always_inline u32 length_of(u64 number) {
    return 8 + (u32)(number & 127);
}

static __always_inline long discard_one(void) {
    void* place = bpf_ringbuf_reserve(&ring, 40, 0);

    if (!place)
        return -1;
    bpf_ringbuf_discard(place, 0);
    return 0;
}

__attribute__((noinline)) int send_one(struct __sk_buff* skb) {
    u32 length = length_of(message[0]);
    long failed;

    if (!through_ring)
        failed = bpf_perf_event_output(skb, &events, BPF_F_CURRENT_CPU, message, length);
    else if (discarded)
        failed = discard_one();
    else
        failed = bpf_ringbuf_output(&ring, message, length, quietly ? BPF_RB_NO_WAKEUP : 0);
    message[0]++;
    return failed == 0;
}

SEC("tc")
int send(struct __sk_buff* skb) {
    u32 i;

    for (i = 0; i < 1024 && i < wanted; i++) {
        if (!send_one(skb))
            refused++;
    }
    return 0;
}

static long look_whether_to_let_go(u32 index, void* context) {
    return *(volatile unsigned char*)&let_go != 0;
}

/* Sends a message to wake the reader, reserves room for another, and commits that when told to, or
 * after a good while. */
SEC("tc")
int hold(struct __sk_buff* skb) {
    unsigned char* place;

    bpf_ringbuf_output(&ring, message, 8, 0);
    place = bpf_ringbuf_reserve(&ring, 9, 0);
    if (!place)
        return 0;
    *(u64*)place = ++message[0];
    place[8] = (unsigned char)message[1];
    holding = 1;
    bpf_loop(1 << 23, look_whether_to_let_go, NULL, 0);
    holding = 0;
    bpf_ringbuf_submit(place, 0);
    return 0;
}
