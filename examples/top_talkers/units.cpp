// SPDX-License-Identifier: Apache-2.0
#include "units.hpp"

#include <array>
#include <cstdio>
#include <string_view>

namespace top_talkers {
namespace {

// @param separator  between the number and its prefix
std::string scaled(double value, std::string_view separator) {
    constexpr std::string_view prefixes = "kMGTPE";
    std::array<char, 32> text{};
    // Compared with what would be rounded up to four digits.
    if (value < 999.5) {
        std::snprintf(text.data(), text.size(), "%.0f", value);
        return text.data() + std::string(separator);
    }
    std::size_t prefix = 0;
    for (value /= 1000; value >= 999.5 && prefix + 1 < prefixes.size(); value /= 1000) {
        ++prefix;
    }
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return text.data() + std::string(separator) + prefixes[prefix];
}

} // namespace

std::string bytes(double value) {
    return scaled(value, " ") + 'B';
}

std::string count(double value) {
    return scaled(value, "");
}

std::string age(std::chrono::nanoseconds value) {
    using namespace std::chrono;
    if (value < minutes(2)) {
        return std::to_string(floor<seconds>(value).count()) + 's';
    }
    if (value < hours(2)) {
        return std::to_string(floor<minutes>(value).count()) + 'm';
    }
    if (value < hours(48)) {
        return std::to_string(floor<hours>(value).count()) + 'h';
    }
    return std::to_string(floor<days>(value).count()) + 'd';
}

} // namespace top_talkers
