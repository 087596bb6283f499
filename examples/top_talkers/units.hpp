// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace top_talkers {

/// "0 B", "999 B", "1.00 kB", "12.3 MB": three digits, steps of 1000, 7 characters at most.
std::string bytes(double value);

/// "0", "999", "1.00k", "12.3M": the same for what has no unit.
std::string count(double value);

/// "7s", "12m", "5h", "300d".
std::string age(std::chrono::nanoseconds value);

} // namespace top_talkers
