// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/privileges.hpp"

#include <ctflow/error.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace ctflow::bpf {

// A no of the kernel's, to load or to attach.
struct refusal {
    int error = 0;               // An errno.
    errc otherwise;              // What it is if nothing more is known.
    std::string log;             // libbpf's.
    std::uint32_t max_flows = 0; // What was asked for, at load.
    std::string ring_need = {};  // What the rings need, should they be maps.
};

// What it may be due to.
struct circumstances {
    std::string missing_capabilities;
    std::optional<host::lockdown_mode> lockdown; // Nothing if that cannot be told.
    bool memory_is_limited = false;              // BPF's, by RLIMIT_MEMLOCK.
    bool lacks_sys_admin = false;
};

circumstances current_circumstances();

// Why the kernel said no, as far as that can be known. Pure.
error_code explain(const refusal& r, const circumstances& c, diagnostics& diag);

} // namespace ctflow::bpf
