// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "preflight/facts.hpp"

#include <optional>
#include <vector>

namespace ctflow::checks {

// What `nft list hooks` knows of conntrack in this network namespace. Nothing before Linux 5.14 and
// without CAP_NET_ADMIN.
std::optional<tracked_families> list_conntrack_hooks();

// The flow tables of this network namespace. Nothing without CAP_NET_ADMIN.
std::optional<std::vector<flow_table>> list_flow_tables();

} // namespace ctflow::checks
