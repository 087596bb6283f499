// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

struct btf;

namespace ctflow::host {

// What differs, of all that the BPF programs read of the kernel's types (bpf/conntrack.h), between
// the BTF of a file and that of the running kernel: "nf_conn.status is at byte 128 there, at byte
// 120 here". Nothing if all is the same, or the kernel's own does not describe conntrack. The
// file's must not be damaged (btf_damage.hpp).
std::optional<std::string> layout_difference(const btf& file, const btf& own);

} // namespace ctflow::host
