// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ctflow::bpf {

// Of the kernel's uapi/linux/bpf.h since Linux 6.4: Debian 12's headers are older.
constexpr std::uint32_t netfilter_program_type = 32; // BPF_PROG_TYPE_NETFILTER
constexpr std::uint32_t netfilter_attach_type = 45;  // BPF_NETFILTER

} // namespace ctflow::bpf
