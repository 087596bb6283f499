// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "subjects/subject.hpp"

#include <ctflow/config.hpp>

#include <cstddef>
#include <memory>

namespace ctflow::bench {

// How consumers are used.
struct usage {
    std::size_t consumers = 1;
    bool one_by_one = false;      // async_receive(token), not that with a span
    bool another_context = false; // Consumers' coroutines run beside the reader, not with it.
};

// ctflow as a program uses it, with default options.
std::unique_ptr<subject> make_ctflow(transport_kind kind, const usage& u);

} // namespace ctflow::bench
