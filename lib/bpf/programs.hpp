// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter.h"

#include <ctflow/error.hpp>

#include <vector>

namespace ctflow::bpf {

// BPF programs and their maps in the kernel, however they are attached. Not thread-safe but for
// reading the maps.
class programs {
public:
    virtual ~programs() = default;
    programs(const programs&) = delete;
    programs& operator=(const programs&) = delete;

    // All programs, or none.
    virtual void attach(error_code& ec, diagnostics& diag) = 0;
    virtual void detach() noexcept = 0;

    // Forgets all flows and calls: what ended while nothing was attached would stay for ever.
    virtual void clear(error_code& ec) = 0;

    // Exchanges the filter, of programs that were loaded with one.
    virtual void set_filter(const ctflow_filter_program& filter, error_code& ec) = 0;

    virtual int counters_fd() const noexcept = 0;
    virtual std::vector<int> program_fds() const = 0;

protected:
    programs() = default;
};

} // namespace ctflow::bpf
