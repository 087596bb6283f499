/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Which process began a flow. Two moments tell it:
 *
 *   made        conntrack has made an nf_conn for a packet that it does not know
 *   leaving     that packet is on its last steps, and the flow is about to be inserted
 *
 * Who runs is looked at when it is made: by its last steps a packet may have waited for a verdict
 * (NFQUEUE), and they are taken by the program that gave it. Whether it is a socket's is looked at
 * then, since before, there is no packet to be had. Flows that are made without one, by conntrack
 * -I say, never get there.
 */
#include "conntrack.h"
#include "read.h"
#include "trailer.h"
#include "types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Set by user space. */
const volatile unsigned char tell_processes = 0;

/* By address of the nf_conn. User space sets the size, and creates it if processes are told. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, u64);
    __type(value, struct origin);
    __uint(max_entries, 1);
} origins SEC(".maps");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct thread_info {
    struct {
        u32 count;
    } preempt; /* arm64 */
};

struct task_struct {
    struct thread_info thread_info;
    void* stack;
    unsigned int flags;
    int softirq_disable_cnt; /* CONFIG_PREEMPT_RT */
};

#pragma clang attribute pop

#define PF_KTHREAD 0x00200000 /* linux/sched.h */
#define SOFTIRQ_OFFSET 0x100  /* linux/preempt.h: of the softirq that is being served */
#define MAX_ERRNO 4095        /* linux/err.h */

/* Its values are the kernel's: they tell which helpers it has. */
enum bpf_func_id {
    BPF_FUNC_task_pt_regs = 175,
    BPF_FUNC_get_func_ret = 184,
};

#if defined(__TARGET_ARCH_x86)

/* THREAD_SIZE. With KASAN it is more, and nothing is told. */
#define STACK_SIZE 16384

/*
 * Softirqs run on a stack of their own (do_softirq_own_stack()) or the interrupt's. But an
 * interrupt of user mode may keep the task's, which is empty then (asm/irq_stack.h, Linux 5.12). At
 * its top are, instead of the registers of a system call, the interrupt's, which have no number of
 * a call (orig_ax is -1: entry_64.S, entry_fred.c).
 */
static __always_inline int in_system_call(const struct task_struct* task, u64 sp) {
    const u64 stack = (u64)KERNEL_READ(task, stack);
    const struct pt_regs* regs = (const struct pt_regs*)(stack + STACK_SIZE) - 1;
    s64 number = -1;

    if (sp - stack >= STACK_SIZE)
        return 0;
    if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
        regs = (const struct pt_regs*)bpf_task_pt_regs(bpf_get_current_task_btf());
    return !bpf_probe_read_kernel(&number, sizeof(number), &regs->orig_ax) && number >= 0;
}

#elif defined(__TARGET_ARCH_arm64)

static __always_inline int in_system_call(const struct task_struct* task, u64 sp) {
    (void)sp;
    return bpf_core_field_exists(task->thread_info.preempt.count) &&
           !(KERNEL_READ(task, thread_info.preempt.count) & SOFTIRQ_OFFSET);
}

#endif

/* Whether this is the task's own doing. On top of it a softirq may be at work, on packets of
 * anybody's. `sp` points into the stack. */
static __always_inline int for_itself(const struct task_struct* task, u64 sp) {
    if (KERNEL_READ(task, flags) & PF_KTHREAD)
        return 0;
    if (bpf_core_field_exists(task->softirq_disable_cnt) &&
        (KERNEL_READ(task, softirq_disable_cnt) & SOFTIRQ_OFFSET))
        return 0; /* Where softirqs have no stack. */
    return in_system_call(task, sp);
}

static __always_inline void forget_origin(const struct nf_conn* ct) {
    u64 key = (u64)ct;

    if (tell_processes)
        bpf_map_delete_elem(&origins, &key);
}

/* Null if it is not known. `ct`: the address of an nf_conn. Whoever asks holds the flow, so that
 * its entry stays. */
static __always_inline const struct origin* origin_of(const u64* ct) {
    const struct origin* origin = tell_processes ? bpf_map_lookup_elem(&origins, ct) : 0;

    return origin && origin->local ? origin : 0;
}

/* What another flow at this address has left behind goes in any case. */
static __always_inline int on_made(u64 ct, u64 sp) {
    const struct task_struct* task = (const struct task_struct*)bpf_get_current_task();
    struct origin origin = {};

    if (!ct || ct >= (u64)-MAX_ERRNO)
        return 0;
    if (for_itself(task, sp)) {
        origin.cgroup = bpf_get_current_cgroup_id();
        origin.pid = (u32)(bpf_get_current_pid_tgid() >> 32);
        bpf_get_current_comm(origin.comm, sizeof(origin.comm));
        if (!bpf_map_update_elem(&origins, &ct, &origin, BPF_ANY))
            return 0;
    }
    forget_origin((const struct nf_conn*)ct);
    return 0;
}

/* A packet that was made here has a socket, and came in by no device: one that a program writes
 * into a tunnel has. */
static __always_inline int on_leaving(const struct sk_buff* skb) {
    const u64 nfct = KERNEL_READ(skb, _nfct);
    const u64 ct = nfct & ~NFCT_INFO_MASK;
    struct origin* origin = bpf_map_lookup_elem(&origins, &ct);

    if (!origin || (nfct & NFCT_INFO_MASK) >= IP_CT_IS_REPLY ||
        (KERNEL_READ((const struct nf_conn*)ct, status) & IPS_CONFIRMED))
        return 0;
    if (KERNEL_READ(skb, sk) && !KERNEL_READ(skb, skb_iif))
        origin->local = 1;
    else
        forget_origin((const struct nf_conn*)ct);
    return 0;
}
