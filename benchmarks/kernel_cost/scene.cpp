// SPDX-License-Identifier: Apache-2.0
#include "scene.hpp"

namespace ctflow::kernel_cost {

std::vector<scene> scenes(const std::vector<std::string>& filters, bool trailer) {
    std::vector<scene> all = {
        {"cooldown", false},
        {"refused", false, filters::proto(255)},
        {"emitting", true},
    };
    for (const auto& text : filters) {
        all.push_back({"emitting: " + text, true, filter::parse(text)});
    }
    if (trailer) {
        all.push_back({"emitting, with a trailer", true, {}, true});
    }
    return all;
}

} // namespace ctflow::kernel_cost
