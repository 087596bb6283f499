// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter.h"

#include <ctflow/error.hpp>
#include <ctflow/filter.hpp>

namespace ctflow::filtering {

// What the kernel runs of a filter: a test of the table for each of its own, in their order.
//
// errc::filter_too_long if it has more than CTFLOW_FILTER_TESTS; diag says how many.
ctflow_filter_program compile(const filter& f, error_code& ec, diagnostics& diag);

} // namespace ctflow::filtering
