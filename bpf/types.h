/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The types and constants that libbpf's BPF headers expect to find, and no more: neither a
 * vmlinux.h nor kernel headers are needed to build. Constants are from uapi/linux/bpf.h.
 */
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s64 s64;
typedef __u64 u64;

enum bpf_map_type {
    BPF_MAP_TYPE_HASH = 1,
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
    BPF_MAP_TYPE_PERCPU_ARRAY = 6,
    BPF_MAP_TYPE_LRU_HASH = 9,
    BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
    BPF_MAP_TYPE_RINGBUF = 27,
};

enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };

enum { BPF_F_MMAPABLE = 1 << 10 };

enum { BPF_RB_NO_WAKEUP = 1 << 0 };

/* uapi/asm-generic/errno-base.h */
#define ENOENT 2
#define EEXIST 17
#define ENOSPC 28

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_ENDIAN "le"
#else
#define HOST_ENDIAN "be"
#endif

/*
 * bpf_tracing.h takes the kernel's names of registers when __VMLINUX_H__ is defined. Without, it
 * would include asm/ptrace.h, which gives the i386 layout for -target bpf.
 */
#define __VMLINUX_H__

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
    unsigned long orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
    u64 regs[31], sp, pc, pstate;
};
struct pt_regs {
    struct user_pt_regs user_regs;
};
#else
#error "pt_regs of this architecture is not declared yet: see PT_REGS_* in bpf_tracing.h"
#endif
