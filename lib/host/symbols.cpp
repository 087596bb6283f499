// SPDX-License-Identifier: Apache-2.0
#include "host/symbols.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace ctflow::host {

std::set<std::string, std::less<>> find_functions(std::istream& kallsyms,
                                                  std::span<const std::string_view> names) {
    std::set<std::string, std::less<>> found;
    for (std::string line; std::getline(kallsyms, line);) {
        const std::string_view text = line;
        const auto type = text.find(' ');
        if (type == std::string_view::npos || type + 3 > text.size() || text[type + 2] != ' ') {
            continue;
        }
        const char kind = text[type + 1];
        if (kind != 't' && kind != 'T' && kind != 'w' && kind != 'W') {
            continue; // Data.
        }
        const auto name = text.substr(type + 3, text.find('\t') - (type + 3));
        if (std::ranges::find(names, name) != names.end()) {
            found.emplace(name);
        }
    }
    return found;
}

std::optional<std::set<std::string, std::less<>>>
find_functions(std::span<const std::string_view> names) {
    std::ifstream kallsyms("/proc/kallsyms");
    if (kallsyms.peek() == std::ifstream::traits_type::eof()) {
        return std::nullopt;
    }
    return find_functions(kallsyms, names);
}

std::set<std::string, std::less<>>
find_traceable_functions(std::istream& available, std::span<const std::string_view> names) {
    std::set<std::string, std::less<>> found;
    for (std::string line; std::getline(available, line);) {
        const auto name = std::string_view(line).substr(0, line.find(' '));
        if (std::ranges::find(names, name) != names.end()) {
            found.emplace(name);
        }
    }
    return found;
}

std::set<std::string, std::less<>>
find_traceable_functions(std::span<const std::string_view> names) {
    std::ifstream available("/sys/kernel/tracing/available_filter_functions");
    return find_traceable_functions(available, names);
}

bool kprobes_possible() {
    std::error_code ignored;
    return std::ranges::any_of(
        std::to_array({"/sys/bus/event_source/devices/kprobe/type",
                       "/sys/kernel/tracing/kprobe_events",
                       "/sys/kernel/debug/tracing/kprobe_events"}),
        [&](const char* path) { return std::filesystem::exists(path, ignored); });
}

} // namespace ctflow::host
