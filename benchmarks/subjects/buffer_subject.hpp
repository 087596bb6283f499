// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "subjects/subject.hpp"

#include <ctflow/config.hpp>

#include <memory>

namespace ctflow::bench {

// perf_buffer or ring_buffer, received from by a coroutine, as for any BPF program: records are
// only counted.
std::unique_ptr<subject> make_buffer(transport_kind kind);

} // namespace ctflow::bench
