// SPDX-License-Identifier: Apache-2.0
#include "host/btf.hpp"

#include "bpf/print.hpp"

#include <cerrno>
#include <fstream>

#include <bpf/btf.h>

namespace ctflow::host {

void kernel_btf::deleter::operator()(btf* b) const noexcept {
    btf__free(b);
}

kernel_btf::kernel_btf() {
    const bpf::print_capture quiet; // That there is none is an answer here, not an error.
    vmlinux_.reset(btf__load_vmlinux_btf());
    if (vmlinux_) {
        conntrack_.reset(btf__load_module_btf("nf_conntrack", vmlinux_.get()));
    }
}

std::set<std::string, std::less<>>
kernel_btf::find_functions(std::span<const std::string_view> names) const {
    std::set<std::string, std::less<>> found;
    // A module's BTF continues the kernel's: a look-up in it finds both.
    const btf* all = conntrack_ ? conntrack_.get() : vmlinux_.get();
    if (all == nullptr) {
        return found;
    }
    for (const auto name : names) {
        std::string terminated(name);
        if (btf__find_by_name_kind(all, terminated.c_str(), BTF_KIND_FUNC) > 0) {
            found.insert(std::move(terminated));
        }
    }
    return found;
}

bool readable_btf(const std::string& path, diagnostics& diag) {
    // libbpf's errors do not tell a file that is not there from an ELF file without BTF.
    if (const std::ifstream file(path); !file) {
        diag = path + ": " + error_code(errno, boost::system::system_category()).message();
        return false;
    }
    const bpf::print_capture quiet;
    btf* const parsed = btf__parse(path.c_str(), nullptr);
    if (parsed == nullptr) {
        diag = path + ": no BTF";
        return false;
    }
    btf__free(parsed);
    return true;
}

} // namespace ctflow::host
