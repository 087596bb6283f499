// SPDX-License-Identifier: Apache-2.0
#include "host/conntrack.hpp"

#include <unistd.h>

namespace ctflow::host {

bool conntrack_present() {
    // The first is not there where it is built in, the other one not where /proc is not.
    return ::access("/sys/module/nf_conntrack", F_OK) == 0 ||
           ::access("/proc/sys/net/netfilter/nf_conntrack_max", F_OK) == 0;
}

bool flows_may_be_offloaded() {
    return ::access("/sys/module/nf_flow_table", F_OK) == 0;
}

} // namespace ctflow::host
