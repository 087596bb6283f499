// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "preflight/facts.hpp"

#include <ctflow/config.hpp>

namespace ctflow::checks {

// All facts about the host but `load`.
host_facts gather(const config& c);

// Makes a probe and lets it go.
load_attempt try_to_load(const config& c);

} // namespace ctflow::checks
