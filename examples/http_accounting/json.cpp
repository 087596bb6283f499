// SPDX-License-Identifier: Apache-2.0
//
// Boost.JSON itself, compiled here: then there is no library of it to link.
#include <boost/json/src.hpp>
