// SPDX-License-Identifier: Apache-2.0
#include "support/format.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>

namespace ctflow::bench {
namespace {

// What a reader counts as the width: not the bytes that continue a character in UTF-8.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

} // namespace

std::string grouped(std::uint64_t value) {
    auto text = std::to_string(value);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
        text.insert(static_cast<std::size_t>(at), 1, ',');
    }
    return text;
}

std::string fixed(double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof(text), "%.*f", digits, value);
    return text;
}

std::string rate(double per_second) {
    if (per_second < 999.5) {
        return fixed(per_second, 0);
    }
    const bool millions = per_second >= 999'500;
    const double value = per_second / (millions ? 1e6 : 1e3);
    const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return fixed(value, digits) + (millions ? " M" : " k");
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    if (part == 0) {
        return "–";
    }
    const auto value = 100 * static_cast<double>(part) / static_cast<double>(whole);
    return value < 0.01 ? "< 0.01 %" : fixed(value, value < 1 ? 2 : 1) + " %";
}

std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return result + '"';
}

json_object& json_object::add(std::string_view name, std::string_view value) {
    return add_json(name, quoted(value));
}

json_object& json_object::add(std::string_view name, double value) {
    return add_json(name, std::isfinite(value) ? fixed(value, 3) : "null");
}

json_object& json_object::add(std::string_view name, std::uint64_t value) {
    return add_json(name, std::to_string(value));
}

json_object& json_object::add(std::string_view name, const spread& value) {
    return add_json(name, json_object()
                              .add("median", value.median)
                              .add("min", value.least)
                              .add("max", value.most)
                              .text());
}

json_object& json_object::add_json(std::string_view name, std::string_view json) {
    members_ += (members_.empty() ? "" : ", ") + quoted(name) + ": ";
    members_ += json;
    return *this;
}

std::string json_array(const std::vector<std::string>& elements) {
    std::string text = "[";
    for (const auto& each : elements) {
        text += (text.size() > 1 ? ",\n  " : "\n  ") + each;
    }
    return text + "\n]";
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths(rows.front().size(), 3);
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], width(row[i]));
        }
    }
    std::string text;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const auto& cell = rows[r][i];
            const std::string room(widths[i] - width(cell), ' ');
            text += "| " + (i == 0 ? cell + room : room + cell) + ' ';
        }
        text += "|\n";
        if (r == 0) {
            for (std::size_t i = 0; i < widths.size(); ++i) {
                text += '|' + std::string(widths[i] + 1, '-') + (i == 0 ? '-' : ':');
            }
            text += "|\n";
        }
    }
    return text;
}

} // namespace ctflow::bench
