// SPDX-License-Identifier: Apache-2.0
#include "bpf/object.hpp"
#include "host/release.hpp"

#include <ctflow/kernel.hpp>

namespace ctflow {
namespace {

// bpf_ktime_get_boot_ns came with 5.8, the youngest of what the BPF program cannot do without.
constexpr host::kernel_version oldest{5, 8, 0};

} // namespace

selection select(std::string_view release, error_code& ec) {
    ec.clear();
    selection s{"acct", bpf::embedded_object(), {std::string(release), {}, {}, {}}};
    const auto version = host::parse_release(release);
    if (!version) {
        ec = errc::kernel_release;
    } else if (*version < oldest) {
        ec = errc::kernel_too_old;
    }
    return ec ? selection{} : s;
}

selection select(std::string_view release) {
    error_code ec;
    auto s = select(release, ec);
    if (ec) {
        throw system_error(ec, diagnostics(release));
    }
    return s;
}

} // namespace ctflow
