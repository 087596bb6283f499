// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sstream>
#include <string>

using ctflow::verdict;

BOOST_AUTO_TEST_SUITE(check)

BOOST_AUTO_TEST_CASE(as_json) {
    BOOST_TEST(flowdump::to_json({"acct", verdict::bad, "it is 0", "set it"}) ==
               R"({"name":"acct","verdict":"bad","finding":"it is 0","remedy":"set it"})");
    BOOST_TEST(flowdump::to_json({"a", verdict::warning, "say \"no\"\n", "rm \\"}) ==
               R"({"name":"a","verdict":"warning","finding":"say \"no\"\u000a","remedy":"rm \\"})");
    BOOST_TEST(flowdump::to_json({"a", verdict::good, "\xc3\xa4", ""}) ==
               "{\"name\":\"a\",\"verdict\":\"good\",\"finding\":\"\xc3\xa4\",\"remedy\":\"\"}");
}

BOOST_AUTO_TEST_CASE(what_it_comes_to) {
    const ctflow::condition good{"a", verdict::good, "so", ""};
    const ctflow::condition warning{"b", verdict::warning, "so", "do"};
    const ctflow::condition bad{"c", verdict::bad, "so", "do"};
    BOOST_TEST(flowdump::conclude({{good}}) == "flowdump works here.");
    BOOST_TEST(flowdump::conclude({{good, warning}}) ==
               "flowdump works here, but for what is marked WARN.");
    BOOST_TEST(flowdump::conclude({{good, warning, bad}}) ==
               "No events here until what is marked FAIL is mended.");
    const ctflow::condition local{"d", verdict::bad, "so", "do", true};
    const char* const of_others =
        "No events of this network namespace until what is marked FAIL is "
        "mended. Flows of others may have theirs.";
    BOOST_TEST(flowdump::conclude({{good, warning, local}}) == of_others);
    BOOST_TEST(flowdump::conclude({{good, local, bad}}) ==
               "No events here until what is marked FAIL is mended.");
}

BOOST_AUTO_TEST_CASE(on_this_host) {
    flowdump::options o;
    std::ostringstream text;
    const int status = flowdump::check(o, text);
    const auto lines = std::ranges::count(text.str(), '\n');
    BOOST_TEST(text.str().starts_with("ok    kernel        "));
    BOOST_TEST((text.str().find("FAIL  ") == std::string::npos) == (status == 0));
    BOOST_TEST((text.str().find("flowdump works here") != std::string::npos) == (status == 0));

    o.json = true;
    std::ostringstream json;
    BOOST_TEST(flowdump::check(o, json) == status);
    BOOST_TEST(std::ranges::count(json.str(), '\n') == lines - 1); // Without a conclusion.
    BOOST_TEST(json.str().starts_with(R"({"name":"kernel","verdict":"good",)"));
}

BOOST_AUTO_TEST_CASE(output_that_fails) {
    std::ostringstream closed;
    closed.setstate(std::ios::badbit);
    BOOST_TEST(flowdump::check({}, closed) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
