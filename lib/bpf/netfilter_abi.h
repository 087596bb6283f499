/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Of the kernel's uapi/linux/bpf.h since Linux 6.4: Debian 12's headers are older. */
#define CTFLOW_PROG_TYPE_NETFILTER 32   /* BPF_PROG_TYPE_NETFILTER */
#define CTFLOW_ATTACH_TYPE_NETFILTER 45 /* BPF_NETFILTER */

struct bpf_program;

#ifdef __cplusplus
extern "C" {
#endif

/* A program for netfilter's hooks, which libbpf 1.1 does not know by its section. */
void ctflow_set_netfilter_type(struct bpf_program* program);

#ifdef __cplusplus
}
#endif
