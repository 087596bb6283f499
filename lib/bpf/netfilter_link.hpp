// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/error.hpp>

#include <cstdint>

namespace ctflow::bpf {

// A BPF program at a hook of netfilter's, in the network namespace of the thread that made it. Gone
// with the object.
class netfilter_link {
public:
    // As late as can be among the programs at that hook, and before conntrack confirms new flows.
    netfilter_link(int program_fd, std::uint32_t family, std::uint32_t hook, error_code& ec);
    ~netfilter_link();
    netfilter_link(netfilter_link&& other) noexcept;
    netfilter_link& operator=(netfilter_link&&) = delete;

private:
    int fd_ = -1;
};

} // namespace ctflow::bpf
