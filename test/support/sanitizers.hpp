// SPDX-License-Identifier: Apache-2.0
#pragma once

// What this is instrumented with: g++ says so by macros, clang 14 by __has_feature alone.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CTFLOW_TEST_WITH_ASAN
#endif
#if __has_feature(thread_sanitizer)
#define CTFLOW_TEST_WITH_TSAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(CTFLOW_TEST_WITH_ASAN)
#define CTFLOW_TEST_WITH_ASAN
#endif
#if defined(__SANITIZE_THREAD__) && !defined(CTFLOW_TEST_WITH_TSAN)
#define CTFLOW_TEST_WITH_TSAN
#endif
