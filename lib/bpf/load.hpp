// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/object.hpp"

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>
#include <ctflow/kernel.hpp>

#include <memory>

namespace ctflow::bpf {

// Loads the programs that suit this host, and attaches none. Where the choice is left to us and
// fentry is refused, kprobes are tried. Fills in `kernel` how they will be attached.
std::unique_ptr<object> load(const config& c, ctflow::kernel& kernel, error_code& ec,
                             diagnostics& diag);

} // namespace ctflow::bpf
