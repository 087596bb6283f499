// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/netfilter_object.hpp"
#include "bpf/object.hpp"

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>
#include <ctflow/kernel.hpp>

#include <memory>

namespace ctflow::bpf {

// One of the two, or none.
struct loaded {
    std::unique_ptr<object> tracing;
    std::unique_ptr<netfilter_object> netfilter;

    explicit operator bool() const noexcept { return tracing || netfilter; }
};

// Loads the programs that suit this host, and attaches none for good. Where the choice is left to
// us it is fentry, else kprobes, else netfilter. Fills in `kernel` how they will be attached, and
// which better ways were refused.
loaded load(const config& c, ctflow::kernel& kernel, error_code& ec, diagnostics& diag);

} // namespace ctflow::bpf
