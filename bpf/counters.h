/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What the BPF programs count, for each CPU; shared with lib/bpf. See probe_stats in
 * ctflow/stats.hpp for what each means to a user. */
enum ctflow_counter {
    CTFLOW_UPDATES_LOST,         /* the ring was full */
    CTFLOW_UPDATES_WITHOUT_RING, /* the CPU has none */
    CTFLOW_DESTROYS_LOST,       /* the ring was full, or the CPU has none, and no room in reserve */
    CTFLOW_DESTROYS_IN_RESERVE, /* not lost */
    CTFLOW_FLOWS_UNTRACKED,     /* no place in the flow table at insert */
    CTFLOW_PACKETS_UNTRACKED,   /* no place at a later packet */
    CTFLOW_EVENTS_UNACCOUNTED,  /* no accounting extension */
    CTFLOW_RETURNS_UNTRACKED,   /* kprobe: no place in the table of calls under way */
    CTFLOW_COUNTERS
};
