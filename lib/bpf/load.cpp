// SPDX-License-Identifier: Apache-2.0
#include "bpf/load.hpp"

#include "bpf/plan.hpp"
#include "bpf/refused.hpp"
#include "ctnetlink/socket.hpp"
#include "host/btf.hpp"
#include "host/conntrack.hpp"
#include "host/symbols.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

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

// Static functions can be in BTF by the name that they have in the source, and elsewhere by
// another.
void erase_altered(found_set& functions) {
    constexpr std::string_view all[] = {maker_of_flows, early_dropper, collector};
    const auto symbols = host::find_functions(all);
    for (const auto name : all) {
        if (!symbols || !symbols->contains(name)) {
            functions.erase(std::string(name));
        }
    }
}

attach_plan plan_for_host(attach_mode wanted, const config& c, const host::kernel_btf& btf,
                          error_code& ec, diagnostics& diag) {
    check_types(c, btf, ec, diag);
    if (ec) {
        return {};
    }
    const auto in_btf = [&](names all) {
        auto found = btf.find_functions(all);
        if (const auto traceable = host::find_traceable_functions(all); !traceable.empty()) {
            std::erase_if(found, [&](const auto& name) { return !traceable.contains(name); });
        } else {
            erase_altered(found);
        }
        return found;
    };
    const auto in_symbols = [](names all) {
        return host::find_functions(all);
    };
    auto avoid = c.avoid_functions;
    if (!host::flows_may_be_offloaded()) {
        avoid.emplace_back(count_of_others);
    }
    if (!c.processes) {
        avoid.emplace_back(maker_of_flows);
    }
    return make_plan(wanted, avoid, in_btf, in_symbols, ec, diag);
}

loaded load_plan(const attach_plan& plan, const config& c, error_code& ec, diagnostics& diag) {
    if (plan.mode == attach_mode::kprobe && !host::kprobes_possible()) {
        ec = errc::hook_missing;
        diag =
            "there are no kprobes: a kernel built with CONFIG_KPROBE_EVENTS, and /sys, are needed";
        return {};
    }
    loaded result{std::make_unique<object>(c, plan, ec, diag), nullptr};
    return ec ? loaded() : std::move(result);
}

loaded load_netfilter(const config& c, const host::kernel_btf& btf, error_code& ec,
                      diagnostics& diag) {
    if (!netfilter_possible(btf, ec, diag)) {
        return {};
    }
    if (!host::conntrack_present()) {
        ec = errc::conntrack_missing;
        return {};
    }
    ctnetlink::socket trial;
    trial.open(c.netlink_buffer, ec, diag);
    if (ec) {
        return {};
    }
    loaded result{nullptr, std::make_unique<netfilter_object>(c, btf, ec, diag)};
    return ec ? loaded() : std::move(result);
}

// Tries one way after the other, and remembers why they were refused.
class attempts {
public:
    attempts(const config& c, ctflow::kernel& k) : config_(c), kernel_(k) {}

    loaded trace(attach_mode wanted) {
        error_code ec;
        diagnostics diag;
        const auto plan = plan_for_host(wanted, config_, btf_, ec, diag);
        if (wanted == attach_mode::automatic && !plan.no_fentry.empty()) {
            refuse(attach_mode::fentry, errc::fentry_unavailable, plan.no_fentry);
        }
        const auto mode = !ec                                ? plan.mode
                          : wanted == attach_mode::automatic ? attach_mode::kprobe
                                                             : wanted;
        auto result = ec ? loaded() : load_plan(plan, config_, ec, diag);
        return settle(mode, plan.hooks(), std::move(result), ec, diag);
    }

    loaded netfilter() {
        error_code ec;
        diagnostics diag;
        auto result = load_netfilter(config_, btf_, ec, diag);
        return settle(attach_mode::netfilter, netfilter_hooks(), std::move(result), ec, diag);
    }

    // Without descriptors nothing can be told of the kernel: no way is to blame for that.
    const error_code& shortage() const noexcept { return btf_.shortage(); }

    bool was_refused(attach_mode mode) const {
        return std::ranges::find(kernel_.refused, mode, &refused_attach::attach) !=
               kernel_.refused.end();
    }

    // Whether another way may be open.
    bool worth_going_on() const {
        return !kernel_.refused.empty() && concerns_one_way(kernel_.refused.back().error);
    }

private:
    loaded settle(attach_mode mode, std::vector<hook> hooks, loaded result, error_code ec,
                  const diagnostics& diag) {
        if (ec) {
            refuse(mode, ec, diag);
        } else {
            kernel_.attach = mode;
            kernel_.hooks = std::move(hooks);
        }
        return result;
    }

    void refuse(attach_mode mode, error_code ec, const diagnostics& diag) {
        kernel_.refused.push_back({mode, ec, diag});
    }

    const config& config_;
    ctflow::kernel& kernel_;
    const host::kernel_btf btf_;
};

} // namespace

loaded load(const config& c, ctflow::kernel& kernel, error_code& ec, diagnostics& diag) {
    attempts host(c, kernel);
    if (host.shortage()) {
        ec = host.shortage();
        return {};
    }
    loaded best = c.attach == attach_mode::netfilter ? host.netfilter() : host.trace(c.attach);
    if (c.attach == attach_mode::automatic) {
        // What looked possible was refused: without CAP_SYS_ADMIN, say, which fentry needs and a
        // kprobe does not.
        if (!best && host.worth_going_on() && !host.was_refused(attach_mode::kprobe)) {
            best = host.trace(attach_mode::kprobe);
        }
        if (!best && host.worth_going_on()) {
            best = host.netfilter();
        }
    }
    if (!best) {
        std::tie(ec, diag) = tell(std::exchange(kernel.refused, {}));
    }
    return best;
}

} // namespace ctflow::bpf
