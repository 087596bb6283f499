/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What the CPUs that fill rings and the process that reads them tell each other, so that a burst of
 * records costs few wake-ups. For each map of rings a cache line for each CPU, which that writes,
 * and a last one, which the reader writes; shared memory, plain C for both sides.
 *
 * As long as the reader says that it is awake, and so will look at the rings by itself within a
 * moment, records wake nobody. A ring buffer takes a flag for that. A perf buffer has two perf
 * events: an eager one, each record of which wakes the reader, and a lazy one, which wakes it when
 * half of the ring is full and not before.
 *
 *   CPU:    under way + 1;  if the reader's awake: lazy, else eager;  write;  under way - 1
 *   reader: awake = 0;  if anything is under way, or in a ring: awake = 1
 *
 * Each side writes its word before it reads the other's, with a full barrier between: whichever
 * comes second sees the first. So no record is left behind lazily by a CPU that saw the reader
 * awake, however long it is kept from writing it (an interrupt, a hypervisor).
 */
struct ctflow_ring_state {
    unsigned long long word; /* how many are under way; whether awake */
    unsigned long long unused[7];
};
