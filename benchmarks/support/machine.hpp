// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ctflow::bench {

// Where and with what the figures were made: name and value, such as {"kernel", "6.1.0"}.
std::vector<std::pair<std::string, std::string>> describe_machine();

// The same as a Markdown list.
std::string machine_as_markdown();

// And as a JSON object.
std::string machine_as_json();

} // namespace ctflow::bench
