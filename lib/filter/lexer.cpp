// SPDX-License-Identifier: Apache-2.0
#include "filter/lexer.hpp"

#include <algorithm>

namespace ctflow::filtering {
namespace {

constexpr std::string_view spaces = " \t\r\n";
constexpr std::string_view comparisons = "<>=";
// Not by isalnum(), which asks the locale.
constexpr std::string_view in_words =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:/-_%";

token_kind kind_of_word(std::string_view word) noexcept {
    if (word == "and") {
        return token_kind::all_of;
    }
    if (word == "or") {
        return token_kind::any_of;
    }
    return word == "not" ? token_kind::negation : token_kind::word;
}

token_kind kind_of_comparison(std::string_view text) noexcept {
    if (text == ">=") {
        return token_kind::at_least;
    }
    return text == "<" ? token_kind::below : token_kind::other;
}

token_kind kind_of_sign(std::string_view sign) noexcept {
    static constexpr struct {
        std::string_view text;
        token_kind kind;
    } signs[] = {{"(", token_kind::open},
                 {")", token_kind::close},
                 {"!", token_kind::negation},
                 {"&&", token_kind::all_of},
                 {"||", token_kind::any_of}};
    for (const auto& s : signs) {
        if (sign == s.text) {
            return s.kind;
        }
    }
    return token_kind::other;
}

} // namespace

token next_token(std::string_view text, std::size_t from) noexcept {
    const auto at = std::min(text.find_first_not_of(spaces, from), text.size());
    const auto rest = text.substr(at);
    const auto run_of = [&](std::string_view characters) {
        return rest.substr(0, rest.find_first_not_of(characters));
    };
    if (rest.empty()) {
        return {token_kind::end, at, rest};
    }
    if (const auto word = run_of(in_words); !word.empty()) {
        return {kind_of_word(word), at, word};
    }
    if (const auto comparison = run_of(comparisons); !comparison.empty()) {
        return {kind_of_comparison(comparison), at, comparison};
    }
    if (const auto kind = kind_of_sign(rest.substr(0, 2)); kind != token_kind::other) {
        return {kind, at, rest.substr(0, 2)};
    }
    const auto sign = rest.substr(0, 1);
    return {kind_of_sign(sign), at, sign};
}

} // namespace ctflow::filtering
