// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <functional>
#include <string>

namespace http_accounting {

using request = boost::beast::http::request<boost::beast::http::string_body>;
using response = boost::beast::http::response<boost::beast::http::string_body>;

/// What the site shows of the accounting: each is called for a request and returns a body.
struct sources {
    std::function<std::string()> metrics;
    std::function<std::string(std::size_t most)> flows;
};

/// Flows that /flows lists unless told otherwise (?limit=N), and at most.
inline constexpr std::size_t default_flows = 100;
inline constexpr std::size_t most_flows = 1000;

/// The pages: /, /metrics and /flows, each for GET and HEAD; errors for all else.
response respond(const request& q, const sources& s);

} // namespace http_accounting
