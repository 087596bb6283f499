// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/event.hpp>
#include <ctflow/kernel.hpp>
#include <ctflow/stats.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace flowdump {

/// One JSON object, without a newline. Numbers are integers: start in ns since the epoch, timestamp
/// in ns since boot, duration in ns; up to 64 bits, more than a double holds. What a flow has not
/// is left out: where there is no NAT there are no reply_ members.
/// @param community_seed  with the flow's Community ID, by this seed
std::string to_json(const ctflow::event& e, std::optional<std::uint16_t> community_seed = {});

/// The same for people: ctflow::to_string(), and the Community ID behind it.
std::string to_text(const ctflow::event& e, std::optional<std::uint16_t> community_seed);

/// {"probe":{...},"consumer":{...}}, by the names of ctflow/stats.hpp.
std::string stats_json(const ctflow::probe_stats& probe, const ctflow::consumer_stats& consumer);

/// How many events were lost, and where; empty if none was.
std::string describe_losses(const ctflow::probe_stats& probe,
                            const ctflow::consumer_stats& consumer);

/// Release, way to attach and hooks, for people.
std::string describe(const ctflow::kernel& k);

/// "no fentry: why", in one line.
std::string describe(const ctflow::refused_attach& r);

} // namespace flowdump
