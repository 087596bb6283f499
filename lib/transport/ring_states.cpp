// SPDX-License-Identifier: Apache-2.0
#include "transport/ring_states.hpp"

#include <cerrno>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>

namespace ctflow::transport {

ring_states::ring_states(int map_fd, std::size_t maps, error_code& ec) {
    bpf_map_info info{};
    std::uint32_t length = sizeof(info);
    if (bpf_obj_get_info_by_fd(map_fd, &info, &length) != 0) {
        ec.assign(errno, boost::system::system_category());
        return;
    }
    const std::size_t count = info.max_entries;
    void* const base = ::mmap(nullptr, count * sizeof(ctflow_ring_state), PROT_READ | PROT_WRITE,
                              MAP_SHARED, map_fd, 0);
    if (base == MAP_FAILED) {
        ec.assign(errno, boost::system::system_category());
        return;
    }
    states_ = {static_cast<ctflow_ring_state*>(base), count};
    cpus_ = (count - 1) / maps;
}

ring_states::~ring_states() {
    if (!states_.empty()) {
        ::munmap(states_.data(), states_.size_bytes());
    }
}

} // namespace ctflow::transport
