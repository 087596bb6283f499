// SPDX-License-Identifier: Apache-2.0
#include "top_talkers/units.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

using namespace std::chrono_literals;
using top_talkers::age;
using top_talkers::bytes;
using top_talkers::count;

BOOST_AUTO_TEST_SUITE(units)

BOOST_AUTO_TEST_CASE(three_digits) {
    BOOST_TEST(bytes(0) == "0 B");
    BOOST_TEST(bytes(0.4) == "0 B");
    BOOST_TEST(bytes(999) == "999 B");
    BOOST_TEST(bytes(1000) == "1.00 kB");
    BOOST_TEST(bytes(1234) == "1.23 kB");
    BOOST_TEST(bytes(12'345) == "12.3 kB");
    BOOST_TEST(bytes(123'456) == "123 kB");
    BOOST_TEST(bytes(1.5e6) == "1.50 MB");
    BOOST_TEST(bytes(2e9) == "2.00 GB");
    BOOST_TEST(bytes(1.8e19) == "18.0 EB"); // As much as 64 bits hold.
    BOOST_TEST(count(999) == "999");
    BOOST_TEST(count(65536) == "65.5k");
}

// Never four, nor 1000 of a unit that has a next.
BOOST_AUTO_TEST_CASE(what_would_be_rounded_up) {
    BOOST_TEST(bytes(999.6) == "1.00 kB");
    BOOST_TEST(bytes(9'994) == "9.99 kB");
    BOOST_TEST(bytes(9'996) == "10.0 kB");
    BOOST_TEST(bytes(99'960) == "100 kB");
    BOOST_TEST(bytes(999'499) == "999 kB");
    BOOST_TEST(bytes(999'600) == "1.00 MB");
    for (double value = 1; value < 1e19; value *= 1.01) {
        BOOST_TEST(bytes(value).size() <= 7U);
        BOOST_TEST(count(value).size() <= 5U);
    }
}

BOOST_AUTO_TEST_CASE(ages) {
    BOOST_TEST(age(0s) == "0s");
    BOOST_TEST(age(1999ms) == "1s");
    BOOST_TEST(age(119s) == "119s");
    BOOST_TEST(age(2min) == "2m");
    BOOST_TEST(age(119min) == "119m");
    BOOST_TEST(age(2h) == "2h");
    BOOST_TEST(age(47h) == "47h");
    BOOST_TEST(age(48h) == "2d");
}

BOOST_AUTO_TEST_SUITE_END()
