/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Whether a flow ends because conntrack's table is full. Two functions make room then, and the end
 * of what they evict comes before they return, if nobody else holds it:
 *
 *   early_drop()   for the flow of a packet that is on its way
 *   gc_worker()    when the table is 95 % full; it takes out as well whose time is up
 *
 * Each notes the stack that it runs on. A softirq that runs meanwhile, on top of the same task, has
 * another one.
 */
#include "types.h"

#include <bpf/bpf_helpers.h>

/* By address of the task. The stack pointer. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, u64);
    __type(value, u64);
    __uint(max_entries, 1024);
} evicting SEC(".maps");

/* How many have noted something. While it is zero, ends need not look. */
int evictions_under_way = 0;

/* An end is no farther down the stack than this. Stacks are farther apart: by a page at least,
 * which guards them (CONFIG_VMAP_STACK). */
#define EVICTION_DEPTH 2048

static __always_inline int begin_evicting(u64 sp) {
    u64 task = bpf_get_current_task();
    long result = bpf_map_update_elem(&evicting, &task, &sp, BPF_NOEXIST);

    if (!result)
        __sync_fetch_and_add(&evictions_under_way, 1);
    else if (result == -EEXIST) /* Of one that a softirq interrupts, or whose return was missed. */
        bpf_map_update_elem(&evicting, &task, &sp, BPF_EXIST);
    return 0;
}

static __always_inline int end_evicting(void) {
    u64 task = bpf_get_current_task();

    if (evictions_under_way && !bpf_map_delete_elem(&evicting, &task))
        __sync_fetch_and_add(&evictions_under_way, -1);
    return 0;
}

static __always_inline int is_evicting(u64 sp) {
    u64 task = bpf_get_current_task();
    const u64* top;

    if (!evictions_under_way)
        return 0;
    top = bpf_map_lookup_elem(&evicting, &task);
    return top && *top - sp < EVICTION_DEPTH;
}
