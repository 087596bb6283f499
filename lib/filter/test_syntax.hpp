// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter/cursor.hpp"
#include "filter/nodes.hpp"

namespace ctflow::filtering {

// Reads one test. Returns false if it is none: the cursor knows why.
bool read_test(cursor& c, postfix& out);

} // namespace ctflow::filtering
