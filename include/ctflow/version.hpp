// SPDX-License-Identifier: Apache-2.0
#pragma once

/// ctflow's version as a number, major * 10000 + minor * 100 + patch, for the preprocessor.
#define CTFLOW_VERSION 100

/// ctflow's version as text. CMakeLists.txt reads it from here: there is no second place.
#define CTFLOW_VERSION_STRING "0.1.0"
