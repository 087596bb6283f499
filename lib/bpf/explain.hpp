// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/memory.hpp"
#include "host/privileges.hpp"

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace ctflow::bpf {

// A no of the kernel's, to load, to attach, or to ring buffers.
struct refusal {
    int error = 0;                               // An errno.
    error_code otherwise;                        // What it is if nothing more is known.
    std::string log;                             // libbpf's.
    host::kept_flows kept = {};                  // What was asked for, at load.
    std::size_t buffer_pages = 0;                // What was asked for, of perf buffers.
    attach_mode attach = attach_mode::automatic; // What it was for; that: not known.
    std::string ring_need = {};                  // What ring buffers need, which are maps.
    std::size_t reserve_pages = 0;               // What was asked for.
};

// What it may be due to.
struct circumstances {
    std::string missing_capabilities;
    std::optional<host::lockdown_mode> lockdown; // Nothing if that cannot be told.
    bool memory_is_limited = false;              // BPF's, by RLIMIT_MEMLOCK.
    bool lacks_sys_admin = false;
    bool rings_are_limited = false; // By RLIMIT_MEMLOCK.
    host::machine machine;
};

circumstances current_circumstances(attach_mode how = attach_mode::automatic);

// Why the kernel said no, as far as that can be known. Pure.
error_code explain(const refusal& r, const circumstances& c, diagnostics& diag);

} // namespace ctflow::bpf
