// SPDX-License-Identifier: Apache-2.0
#include "filter/cursor.hpp"
#include "filter/nodes.hpp"
#include "filter/point_at.hpp"
#include "filter/test_syntax.hpp"

#include <ctflow/filter.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace ctflow {
namespace filtering {
namespace {

//   alternatives = conjunction { or conjunction }
//   conjunction  = factor { and factor }
//   factor       = not factor | ( alternatives ) | test
//
// Each function reads one of these, `nesting` deep, and returns false if it is not there.
class parser {
public:
    explicit parser(cursor& c) noexcept : cursor_(c) {}

    bool read(postfix& out) {
        if (cursor_.now().kind == token_kind::end) {
            return true;
        }
        return alternatives(out, 0) && (cursor_.now().kind == token_kind::end ||
                                        cursor_.expected("\"and\", \"or\" or the end"));
    }

private:
    bool alternatives(postfix& out, std::size_t nesting) {
        return row(out, token_kind::any_of, filter_op::any_of,
                   [&](postfix& one) { return conjunction(one, nesting); });
    }

    bool conjunction(postfix& out, std::size_t nesting) {
        return row(out, token_kind::all_of, filter_op::all_of,
                   [&](postfix& one) { return factor(one, nesting); });
    }

    template <class Read>
    bool row(postfix& out, token_kind between, filter_op op, const Read& read) {
        if (!read(out)) {
            return false;
        }
        for (auto position = cursor_.now().position; cursor_.take(between);
             position = cursor_.now().position) {
            postfix one;
            if (!read(one)) {
                return false;
            }
            join(out, op, one);
            if (const auto* what = excess(out)) {
                return cursor_.fail(errc::filter_too_long, position, what);
            }
        }
        return true;
    }

    bool factor(postfix& out, std::size_t nesting) {
        const auto position = cursor_.now().position;
        if (nesting > filter::nesting_limit) {
            return cursor_.fail(errc::filter_too_long, position,
                                "nested too deeply: 32 parentheses or not are the most");
        }
        if (cursor_.take(token_kind::negation)) {
            if (!factor(out, nesting + 1)) {
                return false;
            }
            negate(out);
            const auto* what = excess(out);
            return what == nullptr || cursor_.fail(errc::filter_too_long, position, what);
        }
        if (cursor_.take(token_kind::open)) {
            return alternatives(out, nesting + 1) &&
                   (cursor_.take(token_kind::close) ||
                    cursor_.expected("\"and\", \"or\" or the \")\" of character " +
                                     std::to_string(position + 1)));
        }
        return read_test(cursor_, out);
    }

    cursor& cursor_;
};

} // namespace
} // namespace filtering

filter filter::parse(std::string_view text, error_code& ec, diagnostics& diag) {
    ec.clear();
    diag.clear();
    if (text.size() > text_limit) {
        ec = errc::filter_too_long;
        diag = "it has " + std::to_string(text.size()) + " characters: 65536 are the most";
        return {};
    }
    filtering::cursor cursor(text);
    filtering::postfix nodes;
    if (!filtering::parser(cursor).read(nodes)) {
        const auto& m = *cursor.found();
        ec = m.error;
        diag = filtering::point_at(text, m.position, m.what);
        return {};
    }
    return detail::filter_access::make(std::move(nodes));
}

filter filter::parse(std::string_view text, error_code& ec) {
    diagnostics diag;
    return parse(text, ec, diag);
}

filter filter::parse(std::string_view text) {
    error_code ec;
    diagnostics diag;
    auto f = parse(text, ec, diag);
    if (ec) {
        throw system_error(ec, diag);
    }
    return f;
}

} // namespace ctflow
