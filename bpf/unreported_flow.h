/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "curve.h"

/*
 * What is remembered, by netfilter's hooks, of flows that have had no event: by what ctnetlink, who
 * tells of their ends, knows of them. Plain C over plain values, for both sides.
 */
struct ctflow_unreported_key {
    unsigned char src_addr[16]; /* as in the record: of the original direction */
    unsigned char dst_addr[16];
    unsigned short src_port;
    unsigned short dst_port;
    unsigned short zone;
    unsigned char proto;
    unsigned char family;
};

struct ctflow_unreported_flow {
    struct ctflow_flow_state state;
    /* Not zero if the end of an earlier flow of this key has not been told yet; or if it never came
     * to be, since its first packet was dropped further on. */
    unsigned long long follows;
};
