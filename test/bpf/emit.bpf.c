// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Fills perf buffers, or a ring buffer, at a test's command: run by BPF_PROG_TEST_RUN, on the CPU
 * of the caller. A sched_cls program may do so where tracing is forbidden, too.
 */
#include "transport.h"
#include "types.h"

#include <ctflow/detail/trailer.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

unsigned int wanted = 0;        /* how many records a run sends */
unsigned char ended = 0;        /* they are destroys, not updates */
unsigned char detailed = 0;     /* they have a trailer */
unsigned long long next = 1;    /* number of the next, in the place of the conntrack pointer */
unsigned long long refused = 0; /* how many were lost */

/* As much of it as the verifier wants to know a context by. */
struct __sk_buff {
    u32 len;
};

/* Global: the verifier goes through it once, not in each turn of the loop. */
__attribute__((noinline)) int emit_one(struct __sk_buff* skb) {
    const u64 size = sizeof(struct ctflow_record);
    struct message message;

    begin_message(&message, ended ? CTFLOW_RECORD_DESTROY : CTFLOW_RECORD_UPDATE);
    message.record.family = 2;
    message.record.conntrack = next++;
    message.record.timestamp = bpf_ktime_get_boot_ns();
    message.behind.trailer.duration = ended;
    if (detailed) {
        __builtin_memset(&message.behind.trailer, 0, sizeof(message.behind.trailer));
        message.behind.trailer.parts = CTFLOW_TRAILER_STATUS | CTFLOW_TRAILER_MASTER;
        message.behind.trailer.master = message.record.conntrack;
        if (ended)
            return output_destroy(skb, &message, sizeof(message));
        return output_update(skb, &message, sizeof(message));
    }
    if (ended)
        return output_destroy(skb, &message, size + sizeof(message.behind.trailer.duration));
    return output_update(skb, &message, size);
}

SEC("tc")
int emit(struct __sk_buff* skb) {
    u32 i;

    for (i = 0; i < 1024 && i < wanted; i++) {
        if (!emit_one(skb))
            refused++;
    }
    return 0;
}
