// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "measure.hpp"

#include <ostream>
#include <string>

namespace ctflow::kernel_cost {

// In Markdown.
void report(std::ostream& out, const result& r, const options& o, bool instructions);

} // namespace ctflow::kernel_cost
