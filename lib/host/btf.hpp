// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/error.hpp>

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>

struct btf;

namespace ctflow::host {

struct btf_deleter {
    void operator()(btf* b) const noexcept;
};
using btf_pointer = std::unique_ptr<btf, btf_deleter>;

// What the kernel says about its own types and functions: its BTF, and that of the nf_conntrack
// module where conntrack is one and describes itself.
class kernel_btf {
public:
    kernel_btf();

    // Whether the kernel has BTF at all, as far as could be seen.
    explicit operator bool() const noexcept { return vmlinux_ != nullptr; }

    // What kept us from looking: descriptors or memory that ran out. None if nothing did.
    const error_code& shortage() const noexcept { return shortage_; }

    // Which of the names are functions that fentry can be attached to.
    std::set<std::string, std::less<>>
    find_functions(std::span<const std::string_view> names) const;

    // The id of one of the kernel's structures; 0 if there is none of that name.
    std::uint32_t find_struct(const char* name) const;

    // Of the module too, where it has some of its own. Null if there is none.
    const btf* types() const noexcept { return conntrack_ ? conntrack_.get() : vmlinux_.get(); }

private:
    btf_pointer vmlinux_;
    btf_pointer conntrack_; // Refers to vmlinux_.
    error_code shortage_;
};

// Whether a file holds BTF, and of this kernel, as far as the kernel's own tells. If not, diag says
// why.
bool usable_btf(const std::string& path, const kernel_btf& own, diagnostics& diag);

} // namespace ctflow::host
