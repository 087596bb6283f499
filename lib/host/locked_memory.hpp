// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/config.hpp>

#include <string>
#include <string_view>

namespace ctflow::host {

// Whether this kernel counts BPF maps and programs against RLIMIT_MEMLOCK, as kernels before
// Linux 5.11 do. libbpf then lifts the limit, if it may (CAP_SYS_RESOURCE).
bool bpf_is_locked_memory(std::string_view release) noexcept;

// Whether there is a limit for this process that the running kernel holds against BPF.
bool bpf_memory_is_limited();

// Whether there is one that it holds against the ring buffers of perf events (mmap(2) of them says
// EPERM then).
bool rings_are_limited();

// The configuration with the sizes that it leaves to us.
config with_sizes(config c);

// "ulimit -l is 64", in KiB.
std::string locked_memory_limit();

} // namespace ctflow::host
