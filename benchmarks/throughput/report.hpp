// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.hpp"
#include "row.hpp"

#include <string>
#include <vector>

namespace ctflow::bench {

std::string as_markdown(const options& o, const std::vector<row>& rows);
std::string as_json(const options& o, const std::vector<row>& rows);

} // namespace ctflow::bench
