// SPDX-License-Identifier: Apache-2.0
//
// flowdump's command line, curves and durations among it: an argument a line.
#include "options.hpp"

#include "fuzz.hpp"

#include <string>
#include <variant>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::string> arguments;
    auto text = ctflow::fuzz::input(data, size).text();
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        arguments.emplace_back(line.substr(0, line.find('\0'))); // As exec() would have it.
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
    const auto parsed = flowdump::parse(arguments);
    if (const auto* o = std::get_if<flowdump::options>(&parsed)) {
        // The probe would not refuse what flowdump lets pass.
        ctflow::fuzz::require(!ctflow::validate(o->config));
    } else {
        ctflow::fuzz::require(!std::get<std::string>(parsed).empty());
    }
    return 0;
}
