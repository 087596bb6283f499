// SPDX-License-Identifier: Apache-2.0
#include "bpf/load.hpp"

#include "bpf/plan.hpp"
#include "host/btf.hpp"
#include "host/symbols.hpp"

#include <set>
#include <span>
#include <string>
#include <string_view>

namespace ctflow::bpf {
namespace {

using names = std::span<const std::string_view>;
using found_set = std::set<std::string, std::less<>>;

// Even kprobes need types: CO-RE takes the layout of conntrack's from there.
void check_types(const config& c, const host::kernel_btf& own, error_code& ec, diagnostics& diag) {
    if (c.btf_file.empty()) {
        ec = own ? error_code() : error_code(errc::no_btf);
    } else if (!host::usable_btf(c.btf_file, own, diag)) {
        ec = errc::btf_file;
    }
}

attach_plan plan_for_host(attach_mode wanted, const config& c, error_code& ec, diagnostics& diag) {
    const host::kernel_btf btf;
    check_types(c, btf, ec, diag);
    if (ec) {
        return {};
    }
    const auto in_btf = [&](names all) {
        auto found = btf.find_functions(all);
        if (const auto traceable = host::find_traceable_functions(all); !traceable.empty()) {
            std::erase_if(found, [&](const auto& name) { return !traceable.contains(name); });
        }
        return found;
    };
    const auto in_symbols = [](names all) {
        return host::find_functions(all);
    };
    return make_plan(wanted, c.avoid_functions, in_btf, in_symbols, ec, diag);
}

std::unique_ptr<object> load_as(attach_mode mode, const config& c, ctflow::kernel& kernel,
                                error_code& ec, diagnostics& diag) {
    const auto plan = plan_for_host(mode, c, ec, diag);
    if (ec) {
        return nullptr;
    }
    if (plan.mode == attach_mode::kprobe && !host::kprobes_possible()) {
        ec = errc::hook_missing;
        diag =
            "there are no kprobes: a kernel built with CONFIG_KPROBE_EVENTS, and /sys, are needed";
        return nullptr;
    }
    kernel.attach = plan.mode;
    kernel.hooks = plan.hooks();
    auto loaded = std::make_unique<object>(c, plan, ec, diag);
    return ec ? nullptr : std::move(loaded);
}

} // namespace

std::unique_ptr<object> load(const config& c, ctflow::kernel& kernel, error_code& ec,
                             diagnostics& diag) {
    auto best = load_as(c.attach, c, kernel, ec, diag);
    if (!ec || c.attach != attach_mode::automatic || kernel.attach != attach_mode::fentry) {
        return best;
    }
    // What looked possible was refused: without CAP_SYS_ADMIN, say, which fentry needs and a kprobe
    // does not. If that is refused as well, the first reason is the one to tell; but not that such
    // rights are missing: what refuses kprobes, which do without, would still be in the way.
    error_code second;
    diagnostics why;
    auto fallback = load_as(attach_mode::kprobe, c, kernel, second, why);
    const bool impossible = second == errc::hook_missing || second == errc::no_symbols;
    if (fallback || (ec == errc::missing_capabilities && !impossible)) {
        ec = second;
        diag = why;
    }
    return fallback;
}

} // namespace ctflow::bpf
