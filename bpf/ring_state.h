/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What the CPUs that fill perf buffers and the process that reads them tell each other, so that a
 * burst of records costs few wake-ups. A cache line for each ring, which its CPU writes, and a last
 * one, which the reader writes; shared memory, plain C for both sides.
 *
 * A ring has two perf events: an eager one, each record of which wakes the reader, and a lazy one,
 * which wakes it when half of the ring is full and not before. As long as the reader says that it
 * is awake, and so will look at the rings by itself within a moment, records take the lazy one.
 *
 *   CPU:    under_way + 1;  if reader's awake: lazy, else eager;  write;  under_way - 1
 *   reader: awake = 0;  look at each under_way, then at its ring: if anything is there, awake = 1
 *
 * Each side writes its word before it reads the other's, with a full barrier between: whichever
 * comes second sees the first. So no record is left behind lazily by a CPU that saw the reader
 * awake, however long it is kept from writing it (an interrupt, a hypervisor).
 */
struct ctflow_ring_state {
    unsigned long long word; /* under_way; awake */
    unsigned long long unused[7];
};
