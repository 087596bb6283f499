// SPDX-License-Identifier: Apache-2.0
#include "filter/cursor.hpp"

#include <utility>

namespace ctflow::filtering {
namespace {

constexpr std::size_t shown = 48; // Longer than any address.

bool is_printable(std::string_view text) noexcept {
    return text.find_first_not_of(
               " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
               "abcdefghijklmnopqrstuvwxyz{|}~") == text.npos;
}

// What is there instead.
std::string instead(const token& t) {
    if (t.kind == token_kind::end) {
        return "";
    }
    if (!is_printable(t.text)) {
        return ", not a control or non-ASCII character";
    }
    const bool cut = t.text.size() > shown;
    return ", not \"" + std::string(t.text.substr(0, shown)) + (cut ? "...\"" : "\"");
}

} // namespace

bool cursor::take(token_kind kind) noexcept {
    const bool is = now_.kind == kind && kind != token_kind::end;
    if (is) {
        advance();
    }
    return is;
}

bool cursor::take(std::string_view word) noexcept {
    return now_.text == word && take(token_kind::word);
}

bool cursor::fail(errc error, std::size_t position, std::string what) {
    if (!found_) {
        found_ = {error, position, std::move(what)};
    }
    return false;
}

bool cursor::expected(const std::string& what) {
    return fail(errc::filter_syntax, now_.position, "expected " + what + instead(now_));
}

} // namespace ctflow::filtering
