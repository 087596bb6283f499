// SPDX-License-Identifier: Apache-2.0
#include "filter/point_at.hpp"

namespace ctflow::filtering {
namespace {

// Of a text that is longer: so much before the position, so much from there.
constexpr std::size_t before = 40;
constexpr std::size_t after = 36;

// How many bytes the UTF-8 character has that begins here: as many as are there of it, if it is
// none, so that what is damaged is several.
std::size_t character_size(std::string_view rest) noexcept {
    const auto byte = [&](std::size_t i) {
        return static_cast<unsigned char>(rest[i]);
    };
    const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : byte(0) >= 0xc0 ? 2 : 1;
    std::size_t n = 1;
    while (n < size && n < rest.size() && byte(n) >> 6 == 2) {
        ++n;
    }
    return n;
}

} // namespace

std::string printable(std::string_view text) {
    std::string out;
    for (; !text.empty(); text.remove_prefix(character_size(text))) {
        const char c = text.front();
        if (c == '\t' || c == '\n' || c == '\r') {
            out += ' ';
        } else {
            out += c >= ' ' && c <= '~' ? c : '?';
        }
    }
    return out;
}

std::string point_at(std::string_view text, std::size_t position, const std::string& what) {
    auto line = printable(text);
    auto column = printable(text.substr(0, position)).size();
    auto out = (column == line.size() ? "at the end, character " : "at character ") +
               std::to_string(column + 1) + ": " + what;
    if (line.size() > column + after) {
        line.replace(column + after, line.npos, "...");
    }
    if (column > before) {
        line.replace(0, column - before, "...");
        column = before + 3;
    }
    return out + "\n  " + line + "\n  " + std::string(column, ' ') + '^';
}

} // namespace ctflow::filtering
