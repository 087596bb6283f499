// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter.h"
#include "filter/nodes.hpp"

namespace ctflow::filtering {

// What a test is in the table, but for where its exits lead.
ctflow_filter_test entry_of(const filter_node& n) noexcept;

} // namespace ctflow::filtering
