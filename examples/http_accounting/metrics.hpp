// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "accounting.hpp"

#include <ctflow/kernel.hpp>
#include <ctflow/stats.hpp>

#include <string>

namespace http_accounting {

/// The Content-Type of metrics().
inline constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";

/// All counters, in Prometheus' text format. Series are as many as they are at the start: no label
/// has an address, a port or a flow for its value.
std::string metrics(const accounting& books, const ctflow::probe_stats& probe,
                    const ctflow::consumer_stats& consumer, const ctflow::kernel& kernel);

} // namespace http_accounting
