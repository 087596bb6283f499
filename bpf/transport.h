/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* How the records of tracing programs travel to user space. */
#include "maps.h"
#include "output.h"
#include "trailer.h"
#include "types.h"

#include <ctflow/detail/trailer.h>

#include <bpf/bpf_helpers.h>

/* What is sent: the record, and as much of the trailer as there is something to say. */
struct message {
    struct ctflow_record record;
    union trailer_memory behind;
};

static __always_inline void begin_message(struct message* message, enum ctflow_record_kind kind) {
    __builtin_memset(&message->record, 0, sizeof(message->record));
    message->record.kind = kind;
}

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

/* What destroys are kept in that find their ring full, or whose CPU has none: of all CPUs. An
 * update that is lost is made up for by the next, a destroy by nothing. User space sets the size.
 */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 22);
} reserve SEC(".maps");

/* In ring_states. */
enum { PLACE_OF_UPDATES, PLACE_OF_DESTROYS, PLACE_OF_RESERVE, PLACES };

/* Returns what the helper does. The one place that knows how records travel. */
static __always_inline long output(void* ctx, void* array, u32 place, void* ring,
                                   struct message* message, u64 size) {
    if (by_ring_buffer)
        return ring_output(ring, place, PLACES, message, size);
    return perf_output(ctx, array, place, PLACES, message, size);
}

/* These two send a message, of which that much is set, to user space, or count its loss, and return
 * whether they sent it. */
static __always_inline int output_update(void* ctx, struct message* message, u64 size) {
    long refused = output(ctx, &updates, PLACE_OF_UPDATES, &updates_ring, message, size);

    if (!refused)
        return 1;
    /* Perf buffers tell a ring that is full from one that is not there. */
    count(by_ring_buffer || refused == -ENOSPC ? CTFLOW_UPDATES_LOST : CTFLOW_UPDATES_WITHOUT_RING);
    return 0;
}

static __always_inline int output_destroy(void* ctx, struct message* message, u64 size) {
    if (!output(ctx, &destroys, PLACE_OF_DESTROYS, &destroys_ring, message, size))
        return 1;
    if (ring_output(&reserve, PLACE_OF_RESERVE, PLACES, message, size)) {
        count(CTFLOW_DESTROYS_LOST);
        return 0;
    }
    count(CTFLOW_DESTROYS_IN_RESERVE);
    return 1;
}
