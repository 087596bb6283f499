/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Writing into perf buffers and ring buffers without waking a reader that is awake: see
 * ring_state.h. */
#include "ring_state.h"
#include "types.h"

#include <bpf/bpf_helpers.h>

/* Set by user space, as is the size of the map. */
const volatile unsigned int possible_cpus = 1;

/* Those of each map of rings in turn, and then the reader's. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, u32);
    __type(value, struct ctflow_ring_state);
    __uint(max_entries, 1);
} ring_states SEC(".maps");

/* Says that this CPU is about to write. `place` of the map among `places`. */
static __always_inline struct ctflow_ring_state* begin_output(u32 cpu, u32 place, u32 places,
                                                              int* awake) {
    u32 mine = place * possible_cpus + cpu;
    u32 last = places * possible_cpus;
    struct ctflow_ring_state* ring = bpf_map_lookup_elem(&ring_states, &mine);
    const struct ctflow_ring_state* reader = bpf_map_lookup_elem(&ring_states, &last);

    if (!ring || !reader || cpu >= possible_cpus)
        return 0;
    __sync_fetch_and_add(&ring->word, 1);
    *awake = *(const volatile u64*)&reader->word != 0;
    return ring;
}

static __always_inline void end_output(struct ctflow_ring_state* ring) {
    __sync_fetch_and_add(&ring->word, -1);
}

/* Of the array's slots the first half are the CPUs' eager events, the second the lazy ones. Returns
 * what bpf_perf_event_output does. */
static __always_inline long perf_output(void* ctx, void* array, u32 place, u32 places, void* record,
                                        u64 size) {
    u32 cpu = bpf_get_smp_processor_id();
    int awake;
    struct ctflow_ring_state* ring = begin_output(cpu, place, places, &awake);
    long refused;

    if (!ring)
        return -ENOENT; /* As for any CPU that has no ring. */
    refused = bpf_perf_event_output(ctx, array, awake ? cpu + possible_cpus : cpu, record, size);
    end_output(ring);
    return refused;
}

/* The kernel itself wakes no reader that has not caught up. Returns what bpf_ringbuf_output does.
 */
static __always_inline long ring_output(void* map, u32 place, u32 places, void* record, u64 size) {
    int awake;
    struct ctflow_ring_state* ring =
        begin_output(bpf_get_smp_processor_id(), place, places, &awake);
    long refused;

    if (!ring)
        return -ENOENT;
    refused = bpf_ringbuf_output(map, record, size, awake ? BPF_RB_NO_WAKEUP : 0);
    end_output(ring);
    return refused;
}
