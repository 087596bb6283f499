// SPDX-License-Identifier: Apache-2.0
#undef BOOST_TEST_NO_MAIN
#define BOOST_TEST_MODULE ctflow
#include <boost/test/unit_test.hpp>
