/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What cppcheck takes for libbpf's macros, whose own text, of typeof, _Pragma and casts between
 * functions, it cannot read.
 */
#define SEC(name)
#define BPF_PROG(name, ...) name(void* ctx, __VA_ARGS__)
#define BPF_KPROBE(name, ...) name(void* ctx, __VA_ARGS__)
#define BPF_KRETPROBE(name, ...) name(void* ctx, ##__VA_ARGS__)
#define BPF_CORE_READ_1(from, a) ((from)->a)
#define BPF_CORE_READ_2(from, a, b) ((from)->a->b)
#define BPF_CORE_READ_N(from, a, b, name, ...) name
#define BPF_CORE_READ(from, ...)                                                                   \
    BPF_CORE_READ_N(from, __VA_ARGS__, BPF_CORE_READ_2, BPF_CORE_READ_1)(from, __VA_ARGS__)
