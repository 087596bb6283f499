/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Writing into the perf buffers of perf_buffer.cpp: see ring_state.h. */
#include "ring_state.h"
#include "types.h"

#include <bpf/bpf_helpers.h>

/* Of the array's slots the first half are the CPUs' eager events, the second the lazy ones. Set by
 * user space, as are the sizes of the maps. */
const volatile unsigned int possible_cpus = 1;

/* Those of each array in turn, and then the reader's. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, u32);
    __type(value, struct ctflow_ring_state);
    __uint(max_entries, 1);
} ring_states SEC(".maps");

/* `place` of the array among `arrays`. Returns what bpf_perf_event_output does. */
static __always_inline long perf_output(void* ctx, void* array, u32 place, u32 arrays, void* record,
                                        u64 size) {
    u32 cpu = bpf_get_smp_processor_id();
    u32 mine = place * possible_cpus + cpu;
    u32 last = arrays * possible_cpus;
    struct ctflow_ring_state* ring = bpf_map_lookup_elem(&ring_states, &mine);
    const struct ctflow_ring_state* reader = bpf_map_lookup_elem(&ring_states, &last);
    u64 slot = cpu;
    long refused;

    if (!ring || !reader || cpu >= possible_cpus)
        return -ENOENT; /* As for any CPU that has no ring. */
    __sync_fetch_and_add(&ring->word, 1);
    if (*(const volatile u64*)&reader->word)
        slot += possible_cpus;
    refused = bpf_perf_event_output(ctx, array, slot, record, size);
    __sync_fetch_and_add(&ring->word, -1);
    return refused;
}
