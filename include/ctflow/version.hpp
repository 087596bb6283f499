// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which ctflow this is.

/// ctflow's version as a number, major * 100000 + minor * 100 + patch as Boost has it, for the
/// preprocessor.
#define CTFLOW_VERSION 100

/// ctflow's version as text. CMakeLists.txt reads it from here, and insists that both say the same.
#define CTFLOW_VERSION_STRING "0.1.0"
