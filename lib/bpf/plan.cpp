// SPDX-License-Identifier: Apache-2.0
#include "bpf/plan.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace ctflow::bpf {
namespace {

using points = std::vector<hook_point>;
using found_set = std::set<std::string, std::less<>>;

// For each role, what can serve it, best first. All points of an alternative are needed.
//
// insert: __nf_conntrack_hash_insert can be inlined into its two callers. At its entry no other
// CPU has seen the flow yet, at their return it may have.
//
// destroy: nf_ct_destroy sees the end of every flow, and was destroy_conntrack before Linux 5.18.
// nf_ct_delete comes before the last packets may have been counted. Where the compiler has split
// it, most callers go past the plain name, and all end up in the other part.
constexpr const char* split_delete = "nf_ct_delete.part.0";

const std::vector<points>& alternatives(hook_role role) {
    static const std::vector<points> insert = {
        {{task::insert, "__nf_conntrack_hash_insert"}},
        {{task::confirm, "__nf_conntrack_confirm"},
         {task::check_insert, "nf_conntrack_hash_check_insert"}}};
    static const std::vector<points> accounting = {{{task::accounting, "__nf_ct_refresh_acct"}}};
    static const std::vector<points> destroy = {{{task::destroy, "nf_ct_destroy"}},
                                                {{task::destroy, "destroy_conntrack"}},
                                                {{task::destroy, split_delete}},
                                                {{task::delete_, "nf_ct_delete"}}};
    return role == hook_role::insert       ? insert
           : role == hook_role::accounting ? accounting
                                           : destroy;
}

// Not needed, but made use of: it sees ends that fentry cannot see elsewhere (bpf/fentry.h). For
// kprobes it is no help: while one runs, none does.
constexpr const char* last_of_a_flow = "nf_conntrack_free";

// Where a flow's first packet leaves conntrack.
constexpr const char* last_steps = "__nf_conntrack_confirm";

// Not needed either: they tell evictions from other ends.
const hook_point evictions[] = {{task::early_drop, early_dropper}, {task::collect, collector}};

constexpr hook_role roles[] = {hook_role::insert, hook_role::accounting, hook_role::destroy};

std::vector<std::string_view> all_functions() {
    std::vector<std::string_view> all;
    for (const auto role : roles) {
        for (const auto& alternative : alternatives(role)) {
            for (const auto& point : alternative) {
                all.emplace_back(point.function);
            }
        }
    }
    all.emplace_back(last_of_a_flow);
    all.emplace_back(count_of_others);
    all.emplace_back(maker_of_flows);
    for (const auto& point : evictions) {
        all.emplace_back(point.function);
    }
    return all;
}

found_set without(found_set found, std::span<const std::string> avoid) {
    for (const auto& name : avoid) {
        found.erase(name);
    }
    return found;
}

// The best alternative of which all was found, else nothing, with a note of what was sought.
points choose(hook_role role, const found_set& found, diagnostics& missing) {
    for (const auto& alternative : alternatives(role)) {
        if (std::ranges::all_of(alternative,
                                [&](const auto& p) { return found.contains(p.function); })) {
            return alternative;
        }
    }
    for (const auto& alternative : alternatives(role)) {
        std::string_view separator = missing.empty() ? "" : ", ";
        for (const auto& point : alternative) {
            (missing += separator) += point.function;
            separator = " with ";
        }
    }
    return {};
}

std::optional<attach_plan> choose_all(attach_mode mode, const found_set& found,
                                      diagnostics& missing) {
    attach_plan plan{mode, {}, {}};
    for (const auto role : roles) {
        std::ranges::move(choose(role, found, missing), std::back_inserter(plan.points));
        if (role == hook_role::insert && found.contains(maker_of_flows) &&
            found.contains(last_steps)) {
            plan.points.push_back({task::made, maker_of_flows});
            plan.points.push_back({task::leaving, last_steps});
        }
        if (role == hook_role::accounting && found.contains(count_of_others)) {
            plan.points.push_back({task::offloaded, count_of_others});
        }
    }
    return missing.empty() ? std::optional(std::move(plan)) : std::nullopt;
}

void add_evictions(attach_plan& plan, const found_set& found) {
    std::ranges::copy_if(evictions, std::back_inserter(plan.points),
                         [&](const auto& point) { return found.contains(point.function); });
}

std::pair<hook_role, const char*> describe(task t, bool traced) {
    switch (t) {
    case task::insert:
        return {hook_role::insert, traced ? "fentry" : "kprobe"};
    case task::confirm:
        return {hook_role::insert, traced ? "fentry+fexit" : "kprobe+kretprobe"};
    case task::check_insert:
        return {hook_role::insert, traced ? "fexit" : "kprobe+kretprobe"};
    case task::made:
        return {hook_role::insert, traced ? "fexit" : "kretprobe"};
    case task::leaving:
        return {hook_role::insert, traced ? "fentry" : "kprobe"};
    case task::accounting:
        return {hook_role::accounting, traced ? "fexit" : "kprobe+kretprobe"};
    case task::offloaded:
        return {hook_role::accounting, traced ? "fexit" : "kprobe"};
    case task::early_drop:
    case task::collect:
        return {hook_role::destroy, traced ? "fentry+fexit" : "kprobe+kretprobe"};
    case task::destroy:
    case task::delete_:
    case task::free_:
        break;
    }
    return {hook_role::destroy, traced ? "fentry" : "kprobe"};
}

// Says in `why` what is in the way, if anything.
std::optional<attach_plan> plan_fentry(const found_set& found,
                                       const std::function<const found_set&()>& symbols,
                                       diagnostics& why) {
    if (found.empty()) {
        why = "the kernel has no BTF for conntrack's functions";
        return std::nullopt;
    }
    auto plan = choose_all(attach_mode::fentry, found, why);
    if (!plan) {
        why.insert(0, "it cannot be attached to ");
        return plan;
    }
    // BTF does not tell whether the function was split.
    if (plan->points.back().task == task::delete_ && symbols().contains(split_delete)) {
        why = std::string("it cannot be attached to ") + split_delete;
        return std::nullopt;
    }
    if (found.contains(last_of_a_flow)) {
        plan->points.push_back({task::free_, last_of_a_flow});
    }
    add_evictions(*plan, found);
    return plan;
}

std::optional<attach_plan> plan_kprobe(found_set symbols, std::span<const std::string> avoid,
                                       diagnostics& why) {
    if (symbols.contains(split_delete)) {
        symbols.erase("nf_ct_delete");
    }
    const auto found = without(std::move(symbols), avoid);
    auto plan = choose_all(attach_mode::kprobe, found, why);
    if (plan) {
        add_evictions(*plan, found);
    }
    return plan;
}

} // namespace

std::vector<hook> attach_plan::hooks() const {
    std::vector<hook> all;
    for (const auto& point : points) {
        const auto [role, attach] = describe(point.task, mode == attach_mode::fentry);
        all.push_back({role, point.function, attach});
    }
    return all;
}

attach_plan make_plan(attach_mode wanted, std::span<const std::string> avoid,
                      const function_finder& in_btf, const symbol_finder& in_symbols,
                      error_code& ec, diagnostics& diag) {
    const auto all = all_functions();
    bool tell = true; // The symbols do.
    found_set listed;
    auto symbols = [&, known = false]() mutable -> const found_set& {
        if (!std::exchange(known, true)) {
            auto found = in_symbols(all);
            tell = found.has_value();
            listed = std::move(found).value_or(found_set());
        }
        return listed;
    };
    diagnostics no_fentry;
    if (wanted != attach_mode::kprobe) {
        if (auto plan = plan_fentry(without(in_btf(all), avoid), std::ref(symbols), no_fentry)) {
            return *std::move(plan);
        }
    }
    attach_plan none{attach_mode::automatic, {}, no_fentry};
    if (symbols().empty() && tell) {
        ec = errc::conntrack_missing;
        return none;
    }
    if (wanted == attach_mode::fentry) {
        ec = errc::fentry_unavailable;
        diag = no_fentry;
        return none;
    }
    if (!tell) {
        ec = errc::no_symbols;
        return none;
    }
    diagnostics missing;
    if (auto plan = plan_kprobe(symbols(), avoid, missing)) {
        plan->no_fentry = no_fentry;
        return *std::move(plan);
    }
    ec = errc::hook_missing;
    diag = "not among the kernel's functions: " + missing;
    return none;
}

} // namespace ctflow::bpf
