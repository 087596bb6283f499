// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Runs a filter over subjects that a test has put there, as the probe's programs run it over flows:
 * by BPF_PROG_TEST_RUN.
 */
#include "filter.h"

#include "types.h"

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SUBJECTS 2048

struct judged {
    struct ctflow_filter_outlook outlook;
    u64 accepted;
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, u32);
    __type(value, struct ctflow_filter_program);
    __uint(max_entries, 1);
} program SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, u32);
    __type(value, struct ctflow_filter_subject);
    __uint(max_entries, SUBJECTS);
} subjects SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, u32);
    __type(value, struct judged);
    __uint(max_entries, SUBJECTS);
} verdicts SEC(".maps");

unsigned int wanted = 0; /* how many subjects a run judges */

/* As much of it as the verifier wants to know a context by. */
struct __sk_buff {
    u32 len;
};

/* Global: the verifier goes through it once, not in each turn of the loop. */
__attribute__((noinline)) int judge_one(u32 index) {
    u32 only = 0;
    const struct ctflow_filter_program* filter = bpf_map_lookup_elem(&program, &only);
    const struct ctflow_filter_subject* given = bpf_map_lookup_elem(&subjects, &index);
    struct judged* verdict = bpf_map_lookup_elem(&verdicts, &index);
    struct ctflow_filter_subject subject;

    if (!filter || !given || !verdict)
        return 0;
    subject = *given; /* On the stack, where the probe's are. */
    verdict->accepted = filter_judge(filter, &subject, &verdict->outlook);
    return 1;
}

SEC("tc")
int judge(struct __sk_buff* skb) {
    u32 i;

    for (i = 0; i < SUBJECTS && i < wanted; i++)
        judge_one(i);
    return 0;
}
