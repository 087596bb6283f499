// SPDX-License-Identifier: Apache-2.0
#include "host/release.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include <sys/utsname.h>

namespace {

using ctflow::host::kernel_version;
using ctflow::host::parse_release;

void check(const char* release, kernel_version expected) {
    BOOST_TEST_CONTEXT('"' << release << '"') {
        const auto v = parse_release(release);
        BOOST_REQUIRE(v.has_value());
        BOOST_TEST(v->major == expected.major);
        BOOST_TEST(v->minor == expected.minor);
        BOOST_TEST(v->patch == expected.patch);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(release)

BOOST_AUTO_TEST_CASE(the_releases_of_distributions_are_read) {
    check("6.1.0-56-cloud-amd64", {6, 1, 0});
    check("4.20.3-200.fc29.x86_64", {4, 20, 3});
    check("6.12.117+deb12-cloud-amd64", {6, 12, 117});
    check("5.15.167.4-microsoft-standard-WSL2", {5, 15, 167});
    check("4.18.0-553.el8_10.x86_64", {4, 18, 0});
    check("5.10", {5, 10, 0});
    check("5.15-rc3", {5, 15, 0});
    check("6.1.0", {6, 1, 0});
}

BOOST_AUTO_TEST_CASE(what_follows_the_version_does_not_matter) {
    check("5.4.el8", {5, 4, 0});
    check("5.4+", {5, 4, 0});
    check("6.1.", {6, 1, 0});
    check("6.1..2", {6, 1, 0});
    check("6.1.-2", {6, 1, 0});
    check("6.1.99999999999", {6, 1, 0});
    check("6.1.7.8.9", {6, 1, 7});
    check("6.1 .7", {6, 1, 0});
}

BOOST_AUTO_TEST_CASE(a_release_without_major_and_minor_is_none) {
    for (const char* text : {"",
                             "x",
                             "6",
                             "6.",
                             ".1",
                             "6.x",
                             "6-1",
                             "x.1",
                             "..",
                             "-1.2",
                             "1.-2",
                             "+6.1",
                             " 6.1",
                             "6 .1",
                             "6. 1",
                             "0x6.1",
                             "99999999999.1",
                             "6.99999999999",
                             "123456.1",
                             "Linux 6.1"}) {
        BOOST_TEST_CONTEXT('"' << text << '"') {
            BOOST_TEST(!parse_release(text).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_release_is_read_within_its_bounds) {
    const std::string text = "6.123";
    const auto v = parse_release(std::string_view(text).substr(0, 3));
    BOOST_REQUIRE(v.has_value());
    BOOST_TEST(v->minor == 1U);
}

BOOST_AUTO_TEST_CASE(versions_are_ordered_by_number) {
    BOOST_TEST((parse_release("5.10") > parse_release("5.8")));
    BOOST_TEST((parse_release("10.0") > parse_release("9.9.9")));
    BOOST_TEST((parse_release("5.8.1") > parse_release("5.8")));
    BOOST_TEST((parse_release("5.7.99") < parse_release("5.8")));
    BOOST_TEST((parse_release("5.8-rc1") == parse_release("5.8.0")));
}

BOOST_AUTO_TEST_CASE(the_running_release_is_unames_and_can_be_read) {
    utsname name{};
    BOOST_REQUIRE(::uname(&name) == 0);
    BOOST_TEST(ctflow::host::running_release() == name.release);
    BOOST_TEST(parse_release(ctflow::host::running_release()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
