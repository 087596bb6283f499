// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/error.hpp>

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>

struct btf;

namespace ctflow::host {

// What the kernel says about its own types and functions: its BTF, and that of the nf_conntrack
// module where conntrack is one and describes itself.
class kernel_btf {
public:
    kernel_btf();

    // Whether the kernel has BTF at all.
    explicit operator bool() const noexcept { return vmlinux_ != nullptr; }

    // Which of the names are functions that fentry can be attached to.
    std::set<std::string, std::less<>>
    find_functions(std::span<const std::string_view> names) const;

private:
    struct deleter {
        void operator()(btf* b) const noexcept;
    };
    using pointer = std::unique_ptr<btf, deleter>;

    pointer vmlinux_;
    pointer conntrack_; // Refers to vmlinux_.
};

// Whether a file holds BTF. If not, diag says why.
bool readable_btf(const std::string& path, diagnostics& diag);

} // namespace ctflow::host
