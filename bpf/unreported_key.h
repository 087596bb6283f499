/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * By what netfilter's hooks remember a flow that has had no event: what ctnetlink, who tells of its
 * end, knows of it, too. Plain C over plain values, for both sides.
 */
struct ctflow_unreported_key {
    unsigned char src_addr[16]; /* as in the record: of the original direction */
    unsigned char dst_addr[16];
    unsigned short src_port;
    unsigned short dst_port;
    unsigned short zone; /* of the original direction; 0 if it holds for the reply alone */
    unsigned char proto;
    unsigned char family;
};
