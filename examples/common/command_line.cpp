// SPDX-License-Identifier: Apache-2.0
#include "command_line.hpp"

#include <algorithm>
#include <cstddef>

namespace examples {

std::string parse(const std::vector<std::string>& arguments, const std::vector<option>& options) {
    for (std::size_t i = 0; i != arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (!word.starts_with("--")) {
            return "unexpected argument '" + word + "'";
        }
        const auto equals = word.find('=');
        const auto name = word.substr(0, equals);
        const auto found =
            std::ranges::find_if(options, [&](const option& o) { return "--" + o.name == name; });
        if (found == options.end()) {
            return "unknown option " + name;
        }
        std::string value;
        const bool wants_value = !found->allowed.empty();
        if (equals != word.npos) {
            if (!wants_value) {
                return name + " takes no value";
            }
            value = word.substr(equals + 1);
        } else if (wants_value) {
            if (++i == arguments.size()) {
                return name + " needs a value";
            }
            value = arguments[i];
        }
        if (!found->set(value)) {
            return name + " must be " + found->allowed + ", not '" + value + "'";
        }
    }
    return {};
}

} // namespace examples
