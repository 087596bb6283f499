/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* How the records of tracing programs travel to user space. */
#include "maps.h"
#include "output.h"
#include "types.h"

#include <ctflow/detail/record.h>

#include <bpf/bpf_helpers.h>

/* How records travel: by ring buffers, or by perf buffers. User space creates the maps of the one
 * alone: to the verifier, what uses the others is dead code. */
const volatile unsigned char by_ring_buffer = 0;

/* Apart, so that a wave of updates cannot push out destroys. */
struct {
    __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    __uint(key_size, sizeof(u32));
    __uint(value_size, sizeof(u32));
} updates SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    __uint(key_size, sizeof(u32));
    __uint(value_size, sizeof(u32));
} destroys SEC(".maps");

/* The same as ring buffers. User space sets the size. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 18);
} updates_ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 18);
} destroys_ring SEC(".maps");

/* In ring_states. */
enum { PLACE_OF_UPDATES, PLACE_OF_DESTROYS, PLACES };

/*
 * Sends a record to user space, through this CPU's ring of a perf event array or the ring of all
 * CPUs, or counts its loss. The one place that knows how records travel.
 */
static __always_inline void send(void* ctx, void* array, u32 place, void* ring,
                                 struct ctflow_record* record, enum ctflow_counter lost) {
    long refused;

    if (by_ring_buffer)
        refused = ring_output(ring, place, PLACES, record, sizeof(*record));
    else
        refused = perf_output(ctx, array, place, PLACES, record, sizeof(*record));
    if (refused)
        count(lost);
}
