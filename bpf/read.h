/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * How programs read the kernel's memory. Tracing programs copy from any address (BPF_CORE_READ).
 * Where such copies are forbidden (lockdown), those that define CTFLOW_TYPED_POINTERS follow
 * pointers whose type the verifier knows, which is all that it asks for; a bad address reads as
 * zero there, too.
 */
#include "types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * The verifier allows no arithmetic on a pointer that it knows the type of. To swap its bytes into
 * the order that they have makes it a number (check_alu_op: any BPF_END does, for who may leak
 * pointers), and takes no instruction of the machine.
 */
static __always_inline u64 number_of(const void* pointer) {
    u64 number = (u64)pointer;

    asm("%0 = " HOST_ENDIAN "64 %0" : "+r"(number));
    return number;
}

#ifdef CTFLOW_TYPED_POINTERS

/* Linux 6.2. The type is one of vmlinux, by its id there. */
extern void* bpf_rdonly_cast(const void* address, u32 type) __ksym;

#define KERNEL_READ_1(from, a) ((from)->a)
#define KERNEL_READ_2(from, a, b) ((from)->a->b)
#define KERNEL_READ_N(from, a, b, name, ...) name

/* A member, or one of what it points at. */
#define KERNEL_READ(from, ...)                                                                     \
    KERNEL_READ_N(from, __VA_ARGS__, KERNEL_READ_2, KERNEL_READ_1)(from, __VA_ARGS__)

/* A structure of the kernel's that begins with 64 bits, to read those of any other by. */
struct timespec64 {
    s64 tv_sec;
} __attribute__((preserve_access_index));

static __always_inline int read_words(u64* to, u64 from, int count) {
    for (int i = 0; i < count; ++i) {
        const struct timespec64* word = bpf_rdonly_cast((const void*)(from + sizeof(u64) * i),
                                                        bpf_core_type_id_kernel(struct timespec64));

        to[i] = word->tv_sec;
    }
    return 1;
}

#else

#define KERNEL_READ BPF_CORE_READ

/* Returns zero if it cannot be read. */
static __always_inline int read_words(u64* to, u64 from, int count) {
    return bpf_probe_read_kernel(to, sizeof(u64) * count, (const void*)from) == 0;
}

#endif
