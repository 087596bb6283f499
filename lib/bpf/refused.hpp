// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/error.hpp>
#include <ctflow/kernel.hpp>

#include <span>
#include <utility>

namespace ctflow::bpf {

// Whether it need not concern other ways to attach: the rights to trace, say, and not the lack of
// memory, which would only be met again.
bool concerns_one_way(const error_code& refusal) noexcept;

// What to tell who left the choice to us, when all ways were refused. Pure.
std::pair<error_code, diagnostics> tell(std::span<const refused_attach> all);

} // namespace ctflow::bpf
