// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace ctflow::checks {

// Whether conntrack follows a TCP connection that is made over loopback for this, in this network
// namespace. Needs no rights. Nothing if there is no loopback to try. A firewall may exempt
// loopback: no is less of an answer than yes.
std::optional<bool> loopback_followed();

} // namespace ctflow::checks
