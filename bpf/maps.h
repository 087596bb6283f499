/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What the BPF programs share with each other and with user space. */
#include "cooldown.h"
#include "counters.h"
#include "curve.h"
#include "types.h"

#include <bpf/bpf_helpers.h>

/* Set by user space before the program is loaded; constants for the verifier. */
const volatile struct ctflow_curve rate_curve = {};

/* When the probe was started, by the clock of nf_conn_tstamp (ktime_get_real_ns). */
unsigned long long watching_since = 0;

/* What to add to the clock of records for that one. Set at the start. */
unsigned long long boot_to_real = 0;

/* By address of the nf_conn. User space sets the size. Preallocated: tracing programs run where
 * the allocator may not. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, u64);
    __type(value, struct ctflow_flow_state);
    __uint(max_entries, 65536);
} flows SEC(".maps");

/* See cooldown.h. User space sets the size, 1 << cooldown_bits. */
const volatile unsigned int cooldown_bits = CTFLOW_COOLDOWN_MIN_BITS;

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, u32);
    __type(value, u64);
    __uint(max_entries, 1 << CTFLOW_COOLDOWN_MIN_BITS);
} cooldowns SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __type(key, u32);
    __type(value, u64);
    __uint(max_entries, CTFLOW_COUNTERS);
} counters SEC(".maps");

/* Atomic although it is this CPU's own: a softirq's program may interrupt a task's. */
static __always_inline void count(enum ctflow_counter which) {
    u32 index = which;
    u64* counter = bpf_map_lookup_elem(&counters, &index);

    if (counter)
        __sync_fetch_and_add(counter, 1);
}
