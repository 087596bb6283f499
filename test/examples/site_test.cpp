// SPDX-License-Identifier: Apache-2.0
#include "http_accounting/site.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace http = boost::beast::http;
using http_accounting::request;
using http_accounting::response;

namespace {

const http_accounting::sources sources{
    [] { return std::string("ctflow_live_flows 1\n"); },
    [](std::size_t most) { return std::to_string(most); },
};

response ask(const std::string& target, http::verb method = http::verb::get) {
    return http_accounting::respond(request(method, target, 11), sources);
}

} // namespace

BOOST_AUTO_TEST_SUITE(site)

BOOST_AUTO_TEST_CASE(pages) {
    BOOST_TEST(ask("/").result() == http::status::ok);
    BOOST_TEST(ask("/")["Content-Type"] == "text/html; charset=utf-8");
    BOOST_TEST(ask("/").body().find("<!DOCTYPE html>") == 0U);
    BOOST_TEST(ask("/metrics").body() == "ctflow_live_flows 1\n");
    BOOST_TEST(ask("/metrics")["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8");
    BOOST_TEST(ask("/metrics?collect=all").result() == http::status::ok);
    BOOST_TEST(ask("/flows")["Content-Type"] == "application/json");
    BOOST_TEST(ask("/flows").keep_alive());
    BOOST_TEST(ask("/flows")["Content-Length"] == "3");
}

BOOST_AUTO_TEST_CASE(how_many_flows) {
    BOOST_TEST(ask("/flows").body() == "100");
    BOOST_TEST(ask("/flows?limit=0").body() == "0");
    BOOST_TEST(ask("/flows?limit=1000").body() == "1000");
    for (const auto* query : {"limit=1001", "limit=", "limit=-1", "limit=1x", "most=1", "limit"}) {
        const auto r = ask(std::string("/flows?") + query);
        BOOST_TEST(r.result() == http::status::bad_request);
        BOOST_TEST(r.body() == "The query may be limit=N, N up to 1000.\n");
    }
}

BOOST_AUTO_TEST_CASE(head_has_the_length_and_no_body) {
    for (const auto* page : {"/", "/metrics", "/flows", "/nowhere"}) {
        const auto r = ask(page, http::verb::head);
        BOOST_TEST(r.body().empty());
        BOOST_TEST(r["Content-Length"] == ask(page)["Content-Length"]);
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_there_or_not_allowed) {
    for (const auto* target : {"/nowhere", "/metrics/", "", "metrics", "/flows/1", "*"}) {
        BOOST_TEST(ask(target).result() == http::status::not_found);
    }
    for (const auto verb : {http::verb::post, http::verb::put, http::verb::delete_}) {
        const auto r = ask("/flows", verb);
        BOOST_TEST(r.result() == http::status::method_not_allowed);
        BOOST_TEST(r["Allow"] == "GET, HEAD");
    }
}

BOOST_AUTO_TEST_SUITE_END()
