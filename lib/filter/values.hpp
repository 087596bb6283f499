// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ctflow::filtering {

// The values of a filter's text: nothing if a word is not of that kind, or out of range.

std::optional<std::uint64_t> to_number(std::string_view word, std::uint64_t most);

// 32 bits: decimal, or 0x and hexadecimal.
std::optional<std::uint32_t> to_mark(std::string_view word);

// With k, M, G.
std::optional<std::uint64_t> to_amount(std::string_view word);
std::string amount_text(std::uint64_t amount);

// In ns, up to filter::age_limit.
std::optional<std::uint64_t> to_age(std::string_view word);
std::string age_text(std::uint64_t ns);

std::optional<boost::asio::ip::address> to_address(std::string_view word);

struct prefix {
    boost::asio::ip::address address; // It may have bits beyond the prefix.
    unsigned length;
};

std::optional<prefix> to_prefix(std::string_view word);

} // namespace ctflow::filtering
