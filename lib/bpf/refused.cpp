// SPDX-License-Identifier: Apache-2.0
#include "bpf/refused.hpp"

#include <algorithm>

namespace ctflow::bpf {
namespace {

const refused_attach* find(std::span<const refused_attach> all, attach_mode mode) {
    const auto at = std::ranges::find(all, mode, &refused_attach::attach);
    return at == all.end() ? nullptr : &*at;
}

// Of the two ways to trace. The first reason is the one to tell, but not that the kernel cannot do
// fentry; and not that it takes rights for which kprobes have no need: what refuses those would
// still be in the way.
const refused_attach& of_tracing(std::span<const refused_attach> all) {
    const auto& first = all.front();
    const auto* const kprobe = find(all, attach_mode::kprobe);
    if (kprobe == nullptr || kprobe == &first) {
        return first;
    }
    const bool no_kprobes =
        kprobe->error == errc::hook_missing || kprobe->error == errc::no_symbols;
    const bool pass_over = first.error == errc::fentry_unavailable ||
                           (first.error == errc::missing_capabilities && !no_kprobes);
    return pass_over ? *kprobe : first;
}

} // namespace

bool concerns_one_way(const error_code& refusal) noexcept {
    constexpr errc such[] = {errc::fentry_unavailable,
                             errc::hook_missing,
                             errc::no_symbols,
                             errc::netfilter_unavailable,
                             errc::missing_capabilities,
                             errc::lockdown,
                             errc::forbidden,
                             errc::load_failed,
                             errc::attach_failed,
                             errc::ctnetlink_missing};
    return std::ranges::any_of(such, [&](errc each) { return refusal == each; });
}

std::pair<error_code, diagnostics> tell(std::span<const refused_attach> all) {
    const auto& reason = of_tracing(all);
    auto diag = reason.diag;
    const auto* const netfilter = find(all, attach_mode::netfilter);
    const bool forbidden = reason.error == errc::lockdown || reason.error == errc::forbidden;
    if (netfilter != nullptr && netfilter != &reason && forbidden) {
        // Who may not trace is helped by what would open the other way.
        diag += (diag.empty() ? "" : "; ") + std::string("netfilter, which is not tracing: ") +
                netfilter->error.message();
    }
    return {reason.error, std::move(diag)};
}

} // namespace ctflow::bpf
