// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.hpp"

namespace ctflow::bench {

// One variant at a fixed rate for long, with a line every ten seconds. Whether the books balance.
bool soak(const options& o);

} // namespace ctflow::bench
