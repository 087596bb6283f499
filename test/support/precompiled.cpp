// SPDX-License-Identifier: Apache-2.0
#include "support/precompiled.hpp" // All that there is to it.
