// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ctflow::bench {

// Writes to `path`, if any.
void write_json(const std::string& path, std::string_view json);

// On stderr, a line each. @return if there are none.
bool report(const std::vector<std::string>& faults);

// Runs `body`, which says if all is well. @return the exit status of the program.
int run_program(std::string_view name, const std::function<bool()>& body);

} // namespace ctflow::bench
