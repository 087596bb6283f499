// SPDX-License-Identifier: Apache-2.0
#include "common/command_line.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

struct options {
    int n = 5;
    bool f = false;
};

std::string parse(options& o, const std::vector<std::string>& arguments) {
    return examples::parse(arguments,
                           {{"number", "a number from 1 to 9", examples::number(o.n, 1, 9)},
                            {"flag", "", examples::flag(o.f)}});
}

} // namespace

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(what_is_understood) {
    options o;
    BOOST_TEST(parse(o, {}).empty());
    BOOST_TEST((o.n == 5 && !o.f));
    BOOST_TEST(parse(o, {"--number", "7", "--flag"}).empty());
    BOOST_TEST((o.n == 7 && o.f));
    BOOST_TEST(parse(o, {"--number=9"}).empty());
    BOOST_TEST(o.n == 9);
}

BOOST_AUTO_TEST_CASE(what_is_not) {
    options o;
    BOOST_TEST(parse(o, {"x"}) == "unexpected argument 'x'");
    BOOST_TEST(parse(o, {"-f"}) == "unexpected argument '-f'");
    BOOST_TEST(parse(o, {"--other=1"}) == "unknown option --other");
    BOOST_TEST(parse(o, {"--flag=1"}) == "--flag takes no value");
    BOOST_TEST(parse(o, {"--number"}) == "--number needs a value");
    for (const std::string value : {"", "0", "10", "1x", "-1", " 1"}) {
        BOOST_TEST(parse(o, {"--number", value}) ==
                   "--number must be a number from 1 to 9, not '" + value + "'");
    }
    BOOST_TEST(o.n == 5);
}

BOOST_AUTO_TEST_SUITE_END()
