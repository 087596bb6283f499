// SPDX-License-Identifier: Apache-2.0
#pragma once

// Here since every header includes this one.
#if __cplusplus < 202002L
#error "ctflow needs C++20: -std=c++20, or newer"
#endif

// The library is built with hidden visibility: what is not marked is not part of its ABI.
#if defined(__GNUC__)
#define CTFLOW_DECL __attribute__((visibility("default")))
#else
#define CTFLOW_DECL
#endif
