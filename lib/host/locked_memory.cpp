// SPDX-License-Identifier: Apache-2.0
#include "host/locked_memory.hpp"

#include "host/memory.hpp"
#include "host/privileges.hpp"
#include "host/release.hpp"

#include <sys/resource.h>

namespace ctflow::host {
namespace {

rlim_t limit() noexcept {
    rlimit r{};
    ::getrlimit(RLIMIT_MEMLOCK, &r); // Fails for bad arguments only.
    return r.rlim_cur;
}

} // namespace

bool bpf_is_locked_memory(std::string_view release) noexcept {
    const auto version = parse_release(release);
    return version && *version < kernel_version{5, 11, 0};
}

bool bpf_memory_is_limited() {
    return limit() != RLIM_INFINITY && bpf_is_locked_memory(running_release());
}

bool rings_are_limited() {
    return limit() != RLIM_INFINITY && lacks_ipc_lock();
}

config with_sizes(config c) {
    if (c.buffer_pages == 0) {
        c.buffer_pages = default_buffer_pages(rings_are_limited());
    }
    return c;
}

std::string locked_memory_limit() {
    const auto l = limit();
    return "ulimit -l is " + (l == RLIM_INFINITY ? "unlimited" : std::to_string(l / 1024));
}

} // namespace ctflow::host
