// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter/lexer.hpp"

#include <ctflow/error.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ctflow::filtering {

struct mistake {
    errc error;
    std::size_t position;
    std::string what;
};

// The next token of a text that is being read, and what is wrong with the text.
class cursor {
public:
    explicit cursor(std::string_view text) noexcept : text_(text), now_(next_token(text, 0)) {}

    const token& now() const noexcept { return now_; }
    void advance() noexcept { now_ = next_token(text_, now_.position + now_.text.size()); }

    // Goes on if the next is of this kind, or this word.
    bool take(token_kind kind) noexcept;
    bool take(std::string_view word) noexcept;

    // Both return false, as whoever finds out does. The first mistake is the one.
    bool fail(errc error, std::size_t position, std::string what);
    bool expected(const std::string& what); // And not what is next.

    const std::optional<mistake>& found() const noexcept { return found_; }

private:
    std::string_view text_;
    token now_;
    std::optional<mistake> found_;
};

} // namespace ctflow::filtering
