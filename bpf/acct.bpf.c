// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Accounts conntrack's flows. flows.h has what is done; the programs that tie it to kernel
 * functions are there twice: fentry and fexit, and kprobe and kretprobe for kernels whose conntrack
 * has no BTF. User space loads those of its plan (lib/bpf/plan.hpp).
 */
#include "fentry.h"
#include "kprobe.h"
#include "types.h"

#include <bpf/bpf_helpers.h>

/* The kernel lets GPL-compatible programs alone use the helpers needed here. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
