// SPDX-License-Identifier: Apache-2.0
#include "host/btf.hpp"

#include "bpf/print.hpp"
#include "host/btf_damage.hpp"
#include "host/layout.hpp"

#include <cerrno>
#include <fstream>
#include <optional>

#include <bpf/btf.h>
#include <fcntl.h>
#include <unistd.h>

namespace ctflow::host {
namespace {

// libbpf says ESRCH of the kernel's BTF whatever the reason: what is short is seen by opening a
// file that is there, if the kernel has any.
error_code shortage_for(const char* path) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    const int error = fd < 0 ? errno : 0;
    if (fd >= 0) {
        ::close(fd);
    }
    const bool is_shortage = error == EMFILE || error == ENFILE || error == ENOMEM;
    return is_shortage ? error_code(error, boost::system::system_category()) : error_code();
}

} // namespace

void btf_deleter::operator()(btf* b) const noexcept {
    btf__free(b);
}

kernel_btf::kernel_btf() {
    const bpf::print_capture quiet; // That there is none is an answer here, not an error.
    vmlinux_.reset(btf__load_vmlinux_btf());
    if (vmlinux_) {
        conntrack_.reset(btf__load_module_btf("nf_conntrack", vmlinux_.get()));
    }
    if (!conntrack_) {
        shortage_ = shortage_for("/sys/kernel/btf/vmlinux");
    }
}

std::set<std::string, std::less<>>
kernel_btf::find_functions(std::span<const std::string_view> names) const {
    std::set<std::string, std::less<>> found;
    const btf* all = types(); // A module's BTF continues the kernel's: a look-up finds both.
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

std::uint32_t kernel_btf::find_struct(const char* name) const {
    const auto id = vmlinux_ ? btf__find_by_name_kind(vmlinux_.get(), name, BTF_KIND_STRUCT) : 0;
    return id > 0 ? static_cast<std::uint32_t>(id) : 0;
}

bool usable_btf(const std::string& path, const kernel_btf& own, diagnostics& diag) {
    // libbpf's errors do not tell a file that is not there from an ELF file without BTF.
    if (const std::ifstream file(path); !file) {
        diag = path + ": " + error_code(errno, boost::system::system_category()).message();
        return false;
    }
    const bpf::print_capture quiet;
    const btf_pointer parsed(btf__parse(path.c_str(), nullptr));
    if (!parsed) {
        diag = path + ": no BTF";
        return false;
    }
    if (is_damaged(*parsed)) {
        diag = path + ": damaged BTF";
        return false;
    }
    // CO-RE would take the file's word for where the fields are, and read others without a
    // complaint.
    const auto difference =
        own ? layout_difference(*parsed, *own.types()) : std::optional<std::string>();
    if (difference) {
        diag = path + " is not of this kernel: " + *difference +
               "; leave btf_file empty to use the kernel's own";
    }
    return !difference;
}

} // namespace ctflow::host
