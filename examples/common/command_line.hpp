// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace examples {

/// An option --NAME.
struct option {
    std::string name;
    std::string allowed; ///< What its value may be, for a sentence; empty if it takes none.
    std::function<bool(std::string_view)> set; ///< Stores the value. @return whether it may be.
};

/// Takes the arguments of a program, without its name.
/// @return nothing, or a sentence that says which is wrong.
std::string parse(const std::vector<std::string>& arguments, const std::vector<option>& options);

/// A setter: all of the value as a number, from `least` to `most`.
template <class Number>
std::function<bool(std::string_view)> number(Number& out, Number least, Number most) {
    return [&out, least, most](std::string_view text) {
        Number value{};
        const char* const end = text.data() + text.size();
        const auto [stop, failure] = std::from_chars(text.data(), end, value);
        const bool good = failure == std::errc() && stop == end && value >= least && value <= most;
        out = good ? value : out;
        return good;
    };
}

/// A setter: that the option is there.
inline std::function<bool(std::string_view)> flag(bool& out) {
    return [&out](std::string_view) {
        return out = true;
    };
}

} // namespace examples
