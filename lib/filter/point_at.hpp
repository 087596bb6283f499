// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ctflow::filtering {

// Text as it can be shown, one column a character and in ASCII: tabs and line ends are spaces,
// other control characters and what is not ASCII `?`, so that it does nothing to a terminal, and
// all know how wide it is.
std::string printable(std::string_view text);

// Three lines without a newline at their end: where and what, the text, or the part of a long one
// that matters, and a ^ below the position.
std::string point_at(std::string_view text, std::size_t position, const std::string& what);

} // namespace ctflow::filtering
