// SPDX-License-Identifier: Apache-2.0
#include "site.hpp"

#include "metrics.hpp"

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace http = boost::beast::http;

namespace http_accounting {
namespace {

constexpr std::string_view front_page = R"(<!DOCTYPE html>
<html lang="en">
<title>An ordinary server</title>
<h1>An ordinary server</h1>
<p>It serves this page, and accounts for the flows of its host besides:
<a href="/metrics">metrics</a> for Prometheus, and the live <a href="/flows">flows</a> as JSON.
</html>
)";

response make(const request& q, http::status status, std::string_view type, std::string body) {
    response r(status, q.version());
    r.set(http::field::content_type, boost::beast::string_view(type.data(), type.size()));
    r.set(http::field::cache_control, "no-store");
    r.keep_alive(q.keep_alive());
    r.body() = std::move(body);
    r.prepare_payload();
    if (q.method() == http::verb::head) {
        r.body().clear(); // Of the length that has been said.
    }
    return r;
}

response refuse(const request& q, http::status status, std::string sentence) {
    return make(q, status, "text/plain; charset=utf-8", std::move(sentence) + '\n');
}

// The number of limit=N in a query, or the default. Nothing if there is something else.
std::optional<std::size_t> limit_of(std::string_view query) {
    if (query.empty()) {
        return default_flows;
    }
    constexpr std::string_view name = "limit=";
    std::size_t n = 0;
    const char* const end = query.data() + query.size();
    if (!query.starts_with(name)) {
        return std::nullopt;
    }
    const auto [stop, failure] = std::from_chars(query.data() + name.size(), end, n);
    if (failure != std::errc() || stop != end || n > most_flows) {
        return std::nullopt;
    }
    return n;
}

} // namespace

response respond(const request& q, const sources& s) {
    const std::string_view target(q.target().data(), q.target().size());
    const auto path = target.substr(0, target.find('?'));
    const auto query = target.substr(path.size() + (path.size() == target.size() ? 0 : 1));
    if (path != "/" && path != "/metrics" && path != "/flows") {
        return refuse(q, http::status::not_found, "There are /, /metrics and /flows here.");
    }
    if (q.method() != http::verb::get && q.method() != http::verb::head) {
        auto r = refuse(q, http::status::method_not_allowed, "It can only be read.");
        r.set(http::field::allow, "GET, HEAD");
        return r;
    }
    if (path == "/metrics") {
        return make(q, http::status::ok, metrics_type, s.metrics());
    }
    if (path == "/flows") {
        const auto most = limit_of(query);
        return most ? make(q, http::status::ok, "application/json", s.flows(*most))
                    : refuse(q, http::status::bad_request,
                             "The query may be limit=N, N up to " + std::to_string(most_flows) +
                                 '.');
    }
    return make(q, http::status::ok, "text/html; charset=utf-8", std::string(front_page));
}

} // namespace http_accounting
