// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "preflight/facts.hpp"

namespace ctflow::checks {

// Whether conntrack follows TCP connections that are made over loopback for this, in this network
// namespace. Needs no rights. A firewall may exempt loopback: no is less of an answer than yes.
loopback_answers try_loopback();

} // namespace ctflow::checks
