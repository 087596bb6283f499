// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "subjects/subject.hpp"

#include <ctflow/config.hpp>

#include <memory>

namespace ctflow::bench {

// ctflow's reader with something else behind it than ctflow's consumers.

// Nothing: events are read, checked and counted.
std::unique_ptr<subject> make_bare_drain(transport_kind kind);

// Asio's own channel: what one would take if ctflow had no consumers.
std::unique_ptr<subject> make_channel(transport_kind kind);

} // namespace ctflow::bench
