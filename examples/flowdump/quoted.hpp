// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace flowdump {

// A text as JSON has it. What is no UTF-8 is replaced by U+FFFD, byte by byte.
std::string quoted(std::string_view text);

} // namespace flowdump
