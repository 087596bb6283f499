// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace ctflow::filtering {

enum class token_kind : unsigned char {
    end,
    word, // Also numbers, addresses, prefixes: letters, digits and what is in these.
    open,
    close,
    negation,
    all_of,
    any_of,
    at_least,
    below,
    other, // Nothing that a filter has.
};

struct token {
    token_kind kind;
    std::size_t position; // In the text; its end, for `end`.
    std::string_view text;
};

// The first token at or after a position.
token next_token(std::string_view text, std::size_t from) noexcept;

} // namespace ctflow::filtering
