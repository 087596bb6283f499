// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/unique_fd.hpp"

#include <ctflow/error.hpp>

#include <cstddef>

#include <linux/bpf.h>

namespace ctflow::transport {

// A descriptor of our own for a map, if it is of that type; and how many entries it has.
host::unique_fd keep_map(int map_fd, bpf_map_type type, std::size_t& entries, error_code& ec,
                         diagnostics& diag);

} // namespace ctflow::transport
