// SPDX-License-Identifier: Apache-2.0
#include "support/sanitizers.hpp"

#undef BOOST_TEST_NO_MAIN
#define BOOST_TEST_MODULE ctflow
#if defined(BOOST_TEST_DYN_LINK)
#include <boost/test/unit_test.hpp>
#else
#include <boost/test/included/unit_test.hpp>
#endif

#if defined(BOOST_ASIO_SEPARATE_COMPILATION)
#include <boost/asio/impl/src.hpp>
#endif

#if defined(CTFLOW_TEST_WITH_TSAN)
// Asio counts the references of a shared executor down with release, and fences before it deletes
// (ref_count_down in asio/detail/atomic_count.hpp). ThreadSanitizer does not know fences.
extern "C" const char* __tsan_default_suppressions();  // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() { // NOLINT(bugprone-reserved-identifier)
    return "race:boost::asio::execution::detail::shared_target_executor";
}
#endif
