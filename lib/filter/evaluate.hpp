// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter_subject.h"

#include <ctflow/event.hpp>
#include <ctflow/filter.hpp>

#include <cstdint>

namespace ctflow::filtering {

// Whether the filter lets this through, from the filter itself: not as the kernel does, so that
// each can be tested by the other.
bool evaluate(const filter& f, const ctflow_filter_subject& s) noexcept;

// What is known of the flow of an event.
ctflow_filter_subject subject_of(const event& e, std::uint64_t age) noexcept;

// From its start to the event, in ns; 0 where the start is not known.
std::uint64_t age_of(const event& e) noexcept;

} // namespace ctflow::filtering
