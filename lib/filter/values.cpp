// SPDX-License-Identifier: Apache-2.0
#include "filter/values.hpp"

#include "filter/tests.hpp"

#include <ctflow/filter.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>

namespace ctflow::filtering {
namespace {

struct unit {
    std::string_view name;
    std::uint64_t scale;
};

// The smallest first.
constexpr unit amounts[] = {{"", 1}, {"k", 1'000}, {"M", 1'000'000}, {"G", 1'000'000'000}};
constexpr unit times[] = {{"ns", 1},
                          {"us", 1'000},
                          {"ms", 1'000'000},
                          {"s", 1'000'000'000},
                          {"m", 60'000'000'000},
                          {"h", 3'600'000'000'000}};

std::optional<std::uint64_t> in_base(std::string_view word, int base, std::uint64_t most) {
    std::uint64_t number = 0;
    const auto* const end = word.data() + word.size();
    const auto [rest, failure] = std::from_chars(word.data(), end, number, base);
    if (failure != std::errc() || rest != end || number > most) {
        return std::nullopt;
    }
    return number;
}

std::optional<std::uint64_t> with_unit(std::string_view word, std::span<const unit> units,
                                       std::uint64_t most) {
    const auto digits = std::min(word.find_first_not_of("0123456789"), word.size());
    for (const unit& u : units) {
        if (word.substr(digits) == u.name) {
            const auto number = in_base(word.substr(0, digits), 10, most / u.scale);
            return number ? std::optional(*number * u.scale) : std::nullopt;
        }
    }
    return std::nullopt;
}

// In the largest unit that there is a whole number of.
std::string text_in(std::uint64_t value, std::span<const unit> units) {
    const unit* best = &units.front();
    for (const unit& u : units) {
        if (value != 0 && value % u.scale == 0) {
            best = &u;
        }
    }
    return std::to_string(value / best->scale).append(best->name);
}

} // namespace

std::optional<std::uint64_t> to_number(std::string_view word, std::uint64_t most) {
    return in_base(word, 10, most);
}

std::optional<std::uint32_t> to_mark(std::string_view word) {
    const bool hexadecimal = word.starts_with("0x");
    const auto number = in_base(word.substr(hexadecimal ? 2 : 0), hexadecimal ? 16 : 10,
                                std::numeric_limits<std::uint32_t>::max());
    return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

std::optional<std::uint64_t> to_amount(std::string_view word) {
    return with_unit(word, amounts, std::numeric_limits<std::uint64_t>::max());
}

std::string amount_text(std::uint64_t amount) {
    return text_in(amount, amounts);
}

std::optional<std::uint64_t> to_age(std::string_view word) {
    return with_unit(word, times, static_cast<std::uint64_t>(filter::age_limit.count()));
}

std::string age_text(std::uint64_t ns) {
    return text_in(ns, times);
}

std::optional<boost::asio::ip::address> to_address(std::string_view word) {
    // With a scope id Asio would ask the host for an interface.
    if (word.find('%') != word.npos) {
        return std::nullopt;
    }
    error_code ec;
    const auto address = boost::asio::ip::make_address(std::string(word), ec);
    return ec ? std::nullopt : std::optional(address);
}

// Not by Asio's make_network_v4(), which takes /4294967304 for /8.
std::optional<prefix> to_prefix(std::string_view word) {
    const auto slash = word.find('/');
    if (slash == word.npos) {
        return std::nullopt;
    }
    const auto address = to_address(word.substr(0, slash));
    if (!address) {
        return std::nullopt;
    }
    const auto length = to_number(word.substr(slash + 1), address_bits(*address));
    if (!length) {
        return std::nullopt;
    }
    return prefix{*address, static_cast<unsigned>(*length)};
}

} // namespace ctflow::filtering
