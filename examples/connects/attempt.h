/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <linux/types.h>

/* What the BPF program sends: the begin of a TCP connection. */
struct attempt {
    __u8 source[16]; /* of IPv4, the first 4 bytes */
    __u8 destination[16];
    __u16 source_port; /* in host order */
    __u16 destination_port;
    __u8 ip_version; /* 4 or 6 */
    __u8 unused[3];
};
