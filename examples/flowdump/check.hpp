// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.hpp"

#include <ctflow/preflight.hpp>

#include <iosfwd>
#include <string>

namespace flowdump {

/// {"name":"acct","verdict":"bad","finding":"...","remedy":"..."}; the verdicts are good, warning
/// and bad.
std::string to_json(const ctflow::condition& c);

/// What a report comes to, for people: its last line.
std::string conclude(const ctflow::preflight_report& r);

/// --check: prints a line for each condition and, unless as JSON, a conclusion.
/// @return the exit status: 0 if flowdump would work with these options, and have the events of
/// this
///   network namespace's flows; 1 if not, or if `out` failed.
int check(const options& o, std::ostream& out);

} // namespace flowdump
