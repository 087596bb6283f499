// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Fills perf buffers, or a ring buffer, at a test's command: run by BPF_PROG_TEST_RUN, on the CPU
 * of the caller. A sched_cls program may do so where tracing is forbidden, too.
 */
#include "output.h"
#include "types.h"

#include <ctflow/detail/record.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set before the program is loaded; the map of the other is not created. */
const volatile unsigned char by_ring_buffer = 0;

struct {
    __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    __uint(key_size, sizeof(u32));
    __uint(value_size, sizeof(u32));
} events SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 18);
} events_ring SEC(".maps");

unsigned int wanted = 0;        /* how many records a run sends */
unsigned long long next = 1;    /* number of the next, in the place of the conntrack pointer */
unsigned long long refused = 0; /* how many the ring did not take */

struct __sk_buff;

static __always_inline long output(struct __sk_buff* skb, struct ctflow_record* record) {
    if (by_ring_buffer)
        return ring_output(&events_ring, 0, 1, record, sizeof(*record));
    return perf_output(skb, &events, 0, 1, record, sizeof(*record));
}

SEC("tc")
int emit(struct __sk_buff* skb) {
    struct ctflow_record record = {.kind = CTFLOW_RECORD_UPDATE, .family = 2};
    u32 i;

    for (i = 0; i < 1024 && i < wanted; i++) {
        record.conntrack = next++;
        record.timestamp = bpf_ktime_get_boot_ns();
        if (output(skb, &record))
            refused++;
    }
    return 0;
}
