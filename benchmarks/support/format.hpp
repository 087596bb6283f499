// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/statistics.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ctflow::bench {

// 1234567 as "1,234,567".
std::string grouped(std::uint64_t value);

// Events a second as "1.23 M", "45.6 k" or "789".
std::string rate(double per_second);

std::string fixed(double value, int digits);

// A part of a whole: "–" for none at all, so that what is lost leaps to the eye.
std::string percent(std::uint64_t part, std::uint64_t whole);

std::string quoted(std::string_view text);

// Builds up a JSON object.
class json_object {
public:
    json_object& add(std::string_view name, std::string_view value);
    json_object& add(std::string_view name, const char* value) {
        return add(name, std::string_view(value));
    }
    json_object& add(std::string_view name, double value);
    json_object& add(std::string_view name, std::uint64_t value);
    json_object& add(std::string_view name, const spread& value);
    json_object& add_json(std::string_view name, std::string_view json);
    std::string text() const { return '{' + members_ + '}'; }

private:
    std::string members_;
};

std::string json_array(const std::vector<std::string>& elements);

// A Markdown table, in columns that line up in the source as well. The first column is on the left,
// the others on the right.
std::string table(const std::vector<std::vector<std::string>>& rows);

} // namespace ctflow::bench
