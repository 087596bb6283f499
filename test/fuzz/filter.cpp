// SPDX-License-Identifier: Apache-2.0
//
// A filter's text; behind a NUL, what it is asked about.
#include "filter/compile.hpp"
#include "filter/evaluate.hpp"
#include "fuzz.hpp"

#include <ctflow/filter.hpp>

#include <algorithm>
#include <string_view>

namespace {

// One line of text, and one that points at it.
bool is_diagnosis(std::string_view diag) {
    return std::ranges::all_of(diag, [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; }) &&
           diag.ends_with('^');
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ctflow;
    const auto all = fuzz::input(data, size).text();
    const auto end = std::min(all.find('\0'), all.size());
    error_code ec;
    diagnostics diag;
    const auto f = filter::parse(all.substr(0, end), ec, diag);
    if (ec) {
        fuzz::require(f.lets_all_through() && is_diagnosis(diag));
        return 0;
    }
    fuzz::require(filter::parse(to_string(f)) == f);

    const auto from = std::min(end + 1, size);
    const auto s = fuzz::input(data + from, size - from).take<ctflow_filter_subject>();
    const auto program = filtering::compile(f, ec, diag);
    if (!ec) {
        fuzz::require((filter_accepts(&program, &s) != 0) == filtering::evaluate(f, s));
    }

    // And a table of anybody's.
    const auto any = fuzz::input(data, size).take<ctflow_filter_program>();
    (void)filter_accepts(&any, &s);
    return 0;
}
