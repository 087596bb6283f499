/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
#pragma once

#include <ctflow/detail/record.h>

/* What a program at a hook of netfilter's sends: an update, and what it takes to recognise the flow
 * in what ctnetlink says of its end. */
struct ctflow_netfilter_record {
    struct ctflow_record record;
    unsigned short zone;
    unsigned char begins; /* The flow's first packet: the flow is not in conntrack's table yet. */
    unsigned char unused[5];
};
