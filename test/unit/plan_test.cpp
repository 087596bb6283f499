// SPDX-License-Identifier: Apache-2.0
#include "bpf/plan.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using ctflow::attach_mode;
using ctflow::errc;
using ctflow::hook;
using ctflow::hook_role;
using ctflow::bpf::attach_plan;
using ctflow::bpf::hook_point;
using ctflow::bpf::task;

using functions = std::set<std::string, std::less<>>;

// These three are taken where they are; all that follow are for want of them.
const functions current = {"__nf_conntrack_hash_insert", "__nf_ct_refresh_acct", "nf_ct_destroy"};
const functions before_5_18 = {"__nf_conntrack_hash_insert", "__nf_ct_refresh_acct",
                               "destroy_conntrack"};

functions without(functions all, const char* name) {
    BOOST_REQUIRE(all.erase(name) == 1);
    return all;
}

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

// A host with these functions in its BTF and these among its symbols, and a plan for it.
struct host {
    functions btf;
    functions symbols;
    std::vector<std::string> avoid{};
    bool hidden = false; // The symbols.
    int asked_btf = 0;
    int asked_symbols = 0;
    ctflow::error_code ec{};
    ctflow::diagnostics diag{};

    attach_plan plan(attach_mode wanted) {
        return ctflow::bpf::make_plan(
            wanted, avoid,
            [this](std::span<const std::string_view> names) {
                ++asked_btf;
                return among(btf, names);
            },
            [this](std::span<const std::string_view> names) {
                ++asked_symbols;
                return hidden ? std::nullopt : std::optional(among(symbols, names));
            },
            ec, diag);
    }

    static functions among(const functions& there, std::span<const std::string_view> names) {
        functions found;
        for (const auto name : names) {
            if (there.contains(name)) {
                found.emplace(name);
            }
        }
        return found;
    }
};

const hook_point insert_point{task::insert, "__nf_conntrack_hash_insert"};
const hook_point accounting_point{task::accounting, "__nf_ct_refresh_acct"};

const hook_point free_point{task::free_, "nf_conntrack_free"};

void check_plan(const attach_plan& plan, attach_mode mode, const char* destroy) {
    BOOST_TEST((plan.mode == mode));
    BOOST_TEST((plan.points ==
                std::vector<hook_point>{insert_point, accounting_point, {task::destroy, destroy}}));
}

} // namespace

BOOST_AUTO_TEST_SUITE(plan)

BOOST_AUTO_TEST_CASE(fentry_is_preferred_and_symbols_are_not_asked_for_then) {
    host h{current, current};
    check_plan(h.plan(attach_mode::automatic), attach_mode::fentry, "nf_ct_destroy");
    BOOST_TEST(!h.ec);
    BOOST_TEST(h.diag == "");
    BOOST_TEST(h.asked_btf == 1);
    BOOST_TEST(h.asked_symbols == 0);
}

BOOST_AUTO_TEST_CASE(fentry_that_is_asked_for_needs_no_symbols) {
    host h{current, {}};
    check_plan(h.plan(attach_mode::fentry), attach_mode::fentry, "nf_ct_destroy");
    BOOST_TEST(!h.ec);
    BOOST_TEST(h.asked_symbols == 0);
}

BOOST_AUTO_TEST_CASE(what_others_forward_is_counted_where_that_can_be_seen) {
    auto functions = current;
    functions.insert("nf_ct_acct_add");
    for (const auto mode : {attach_mode::fentry, attach_mode::kprobe}) {
        host h{functions, functions};
        const auto plan = h.plan(mode);
        BOOST_TEST((plan.points == std::vector<hook_point>{insert_point,
                                                           accounting_point,
                                                           {task::offloaded, "nf_ct_acct_add"},
                                                           {task::destroy, "nf_ct_destroy"}}));
        BOOST_TEST((plan.hooks().at(2) == hook{hook_role::accounting, "nf_ct_acct_add",
                                               mode == attach_mode::fentry ? "fexit" : "kprobe"}));

        host nobody{functions, functions, {ctflow::bpf::count_of_others}};
        check_plan(nobody.plan(mode), mode, "nf_ct_destroy");
    }
}

BOOST_AUTO_TEST_CASE(who_began_a_flow_is_told_where_both_moments_can_be_seen) {
    auto functions = current;
    functions.insert({"__nf_conntrack_alloc", "__nf_conntrack_confirm"});
    for (const auto mode : {attach_mode::fentry, attach_mode::kprobe}) {
        host h{functions, functions};
        BOOST_TEST((h.plan(mode).points ==
                    std::vector<hook_point>{insert_point,
                                            {task::made, "__nf_conntrack_alloc"},
                                            {task::leaving, "__nf_conntrack_confirm"},
                                            accounting_point,
                                            {task::destroy, "nf_ct_destroy"}}));
        for (const std::string each : {"__nf_conntrack_alloc", "__nf_conntrack_confirm"}) {
            host one{functions, functions, {each}};
            check_plan(one.plan(mode), mode, "nf_ct_destroy");
        }
    }
}

BOOST_AUTO_TEST_CASE(evictions_are_told_from_other_ends_where_they_can_be_seen) {
    auto functions = current;
    functions.insert({"early_drop", "gc_worker"});
    for (const auto mode : {attach_mode::fentry, attach_mode::kprobe}) {
        host h{functions, functions};
        const std::vector<hook_point> points{insert_point,
                                             accounting_point,
                                             {task::destroy, "nf_ct_destroy"},
                                             {task::early_drop, "early_drop"},
                                             {task::collect, "gc_worker"}};
        BOOST_TEST((h.plan(mode).points == points));
        host one{functions, functions, {"early_drop"}};
        BOOST_TEST((one.plan(mode).points.back() == points.back()));
        BOOST_TEST(one.plan(mode).points.size() == 4U);
    }
}

BOOST_AUTO_TEST_CASE(without_any_btf_of_conntrack_kprobes_are_chosen) {
    host h{{}, current};
    check_plan(h.plan(attach_mode::automatic), attach_mode::kprobe, "nf_ct_destroy");
    BOOST_TEST(!h.ec);
    BOOST_TEST(h.diag == "");
}

BOOST_AUTO_TEST_CASE(one_function_missing_in_btf_is_enough_for_kprobes) {
    for (const auto& name : current) {
        BOOST_TEST_CONTEXT("without " << name) {
            host h{without(current, name.c_str()), current};
            check_plan(h.plan(attach_mode::automatic), attach_mode::kprobe, "nf_ct_destroy");
            BOOST_TEST(!h.ec);
            BOOST_TEST(h.diag == "");
        }
    }
}

BOOST_AUTO_TEST_CASE(older_kernels_are_hooked_at_destroy_conntrack) {
    host traced{before_5_18, before_5_18};
    check_plan(traced.plan(attach_mode::automatic), attach_mode::fentry, "destroy_conntrack");
    BOOST_TEST(!traced.ec);
    BOOST_TEST(traced.asked_symbols == 0);

    host probed{{}, before_5_18};
    check_plan(probed.plan(attach_mode::automatic), attach_mode::kprobe, "destroy_conntrack");
    BOOST_TEST(!probed.ec);
}

BOOST_AUTO_TEST_CASE(nf_ct_destroy_is_preferred_where_both_are) {
    auto both = current;
    both.insert("destroy_conntrack");
    host traced{both, {}};
    check_plan(traced.plan(attach_mode::automatic), attach_mode::fentry, "nf_ct_destroy");
    host probed{{}, both};
    check_plan(probed.plan(attach_mode::automatic), attach_mode::kprobe, "nf_ct_destroy");
}

BOOST_AUTO_TEST_CASE(kprobes_that_are_asked_for_are_not_replaced_by_fentry) {
    host h{current, current};
    check_plan(h.plan(attach_mode::kprobe), attach_mode::kprobe, "nf_ct_destroy");
    BOOST_TEST(!h.ec);
    BOOST_TEST(h.asked_btf == 0);

    host none{current, without(current, "__nf_ct_refresh_acct")};
    none.plan(attach_mode::kprobe);
    BOOST_TEST((none.ec == errc::hook_missing));
    BOOST_TEST(none.asked_btf == 0);
}

BOOST_AUTO_TEST_CASE(fentry_that_is_asked_for_is_not_replaced_by_kprobes) {
    host h{without(current, "__nf_ct_refresh_acct"), current};
    const auto plan = h.plan(attach_mode::fentry);
    BOOST_TEST((h.ec == errc::fentry_unavailable));
    BOOST_TEST(contains(h.diag, "__nf_ct_refresh_acct"));
    BOOST_TEST(!contains(h.diag, "__nf_conntrack_hash_insert"));
    BOOST_TEST(plan.points.empty());
}

BOOST_AUTO_TEST_CASE(conntrack_without_btf_is_said_in_so_many_words) {
    host h{{}, current};
    h.plan(attach_mode::fentry);
    BOOST_TEST((h.ec == errc::fentry_unavailable));
    BOOST_TEST(h.diag == "the kernel has no BTF for conntrack's functions");
}

BOOST_AUTO_TEST_CASE(without_conntrack_the_error_says_so_whatever_was_asked_for) {
    for (const auto mode : {attach_mode::automatic, attach_mode::fentry, attach_mode::kprobe}) {
        host h{{}, {}};
        const auto plan = h.plan(mode);
        BOOST_TEST((h.ec == errc::conntrack_missing));
        BOOST_TEST(h.asked_symbols == 1);
        BOOST_TEST(plan.points.empty());
    }
}

BOOST_AUTO_TEST_CASE(symbols_that_are_hidden_do_not_mean_that_conntrack_is_missing) {
    for (const auto mode : {attach_mode::automatic, attach_mode::kprobe}) {
        host h{{}, current, {}, true};
        BOOST_TEST(h.plan(mode).points.empty());
        BOOST_TEST((h.ec == errc::no_symbols));
        BOOST_TEST(h.asked_symbols == 1);
    }
    host none{{}, current, {}, true};
    none.plan(attach_mode::fentry);
    BOOST_TEST((none.ec == errc::fentry_unavailable));
    BOOST_TEST(none.diag == "the kernel has no BTF for conntrack's functions");

    // fentry does without.
    host traced{current, {}, {}, true};
    check_plan(traced.plan(attach_mode::automatic), attach_mode::fentry, "nf_ct_destroy");
    BOOST_TEST(!traced.ec);
}

BOOST_AUTO_TEST_CASE(a_function_that_is_nowhere_is_named) {
    for (const auto mode : {attach_mode::automatic, attach_mode::kprobe}) {
        for (const auto& name : current) {
            BOOST_TEST_CONTEXT("without " << name) {
                host h{{}, without(current, name.c_str())};
                const auto plan = h.plan(mode);
                BOOST_TEST((h.ec == errc::hook_missing));
                for (const auto& each : current) {
                    BOOST_TEST(contains(h.diag, each.c_str()) == (each == name));
                }
                BOOST_TEST(plan.points.empty());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(all_that_is_missing_is_named_with_its_alternatives) {
    host h{{}, {"__nf_ct_refresh_acct"}};
    h.plan(attach_mode::automatic);
    BOOST_TEST((h.ec == errc::hook_missing));
    BOOST_TEST(contains(h.diag, "__nf_conntrack_hash_insert, __nf_conntrack_confirm with "
                                "nf_conntrack_hash_check_insert, nf_ct_destroy, destroy_conntrack, "
                                "nf_ct_delete.part.0, nf_ct_delete"));
    BOOST_TEST(!contains(h.diag, "__nf_ct_refresh_acct"));
}

BOOST_AUTO_TEST_CASE(btf_and_symbols_are_not_mixed) {
    // Each has what the other lacks: neither will do.
    host h{without(current, "nf_ct_destroy"), without(current, "__nf_ct_refresh_acct")};
    h.plan(attach_mode::automatic);
    BOOST_TEST((h.ec == errc::hook_missing));
    BOOST_TEST(contains(h.diag, "__nf_ct_refresh_acct"));
}

BOOST_AUTO_TEST_CASE(where_the_insert_function_is_inlined_both_its_callers_are_hooked) {
    auto inlined = without(current, "__nf_conntrack_hash_insert");
    inlined.insert("__nf_conntrack_confirm");
    host half{inlined, inlined};
    half.plan(attach_mode::automatic); // conntrack -I would go unseen.
    BOOST_TEST((half.ec == errc::hook_missing));

    inlined.insert("nf_conntrack_hash_check_insert");
    const std::vector<hook_point> expected{{task::confirm, "__nf_conntrack_confirm"},
                                           {task::check_insert, "nf_conntrack_hash_check_insert"},
                                           accounting_point,
                                           {task::destroy, "nf_ct_destroy"}};
    host traced{inlined, inlined};
    auto plan = traced.plan(attach_mode::automatic);
    BOOST_TEST((plan.mode == attach_mode::fentry));
    BOOST_TEST((plan.points == expected));
    host probed{{}, inlined};
    plan = probed.plan(attach_mode::automatic);
    BOOST_TEST((plan.mode == attach_mode::kprobe));
    BOOST_TEST((plan.points == expected));
}

BOOST_AUTO_TEST_CASE(the_callers_are_not_hooked_where_they_need_not_be) {
    auto all = current;
    all.insert({"__nf_conntrack_confirm", "nf_conntrack_hash_check_insert", "nf_ct_delete"});
    host h{all, all};
    check_plan(h.plan(attach_mode::automatic), attach_mode::fentry, "nf_ct_destroy");
}

BOOST_AUTO_TEST_CASE(nf_ct_delete_is_the_last_resort) {
    auto last = without(current, "nf_ct_destroy");
    last.insert("nf_ct_delete");
    host h{last, last};
    auto plan = h.plan(attach_mode::automatic);
    BOOST_TEST(!h.ec);
    BOOST_TEST((plan.mode == attach_mode::fentry));
    BOOST_TEST((plan.points.back() == hook_point{task::delete_, "nf_ct_delete"}));

    // Split by the compiler, it is the other part that all go through; BTF does not have it.
    auto split = last;
    split.insert("nf_ct_delete.part.0");
    host s{last, split};
    plan = s.plan(attach_mode::automatic);
    BOOST_TEST(!s.ec);
    BOOST_TEST((plan.mode == attach_mode::kprobe));
    BOOST_TEST((plan.points.back() == hook_point{task::destroy, "nf_ct_delete.part.0"}));

    host asked{last, split};
    asked.plan(attach_mode::fentry);
    BOOST_TEST((asked.ec == errc::fentry_unavailable));
    BOOST_TEST(contains(asked.diag, "nf_ct_delete.part.0"));
}

BOOST_AUTO_TEST_CASE(functions_to_avoid_are_as_if_they_were_not_there) {
    auto all = current;
    all.insert("destroy_conntrack");
    for (const auto mode : {attach_mode::fentry, attach_mode::kprobe}) {
        host h{all, all, {"nf_ct_destroy", "no_such_function"}};
        check_plan(h.plan(mode), mode, "destroy_conntrack");
        BOOST_TEST(!h.ec);
    }
    // That nothing is left does not mean that there is no conntrack.
    host none{current, current, {current.begin(), current.end()}};
    none.plan(attach_mode::automatic);
    BOOST_TEST((none.ec == errc::hook_missing));
}

BOOST_AUTO_TEST_CASE(what_is_left_of_a_split_function_is_no_hook_even_if_its_part_is_avoided) {
    auto last = without(current, "nf_ct_destroy");
    last.insert("nf_ct_delete");
    auto split = last;
    split.insert("nf_ct_delete.part.0");
    host traced{last, split, {"nf_ct_delete.part.0"}};
    traced.plan(attach_mode::fentry);
    BOOST_TEST((traced.ec == errc::fentry_unavailable));
    host probed{last, split, {"nf_ct_delete.part.0"}};
    probed.plan(attach_mode::automatic);
    BOOST_TEST((probed.ec == errc::hook_missing));
}

BOOST_AUTO_TEST_CASE(the_last_of_a_flow_is_seen_too_where_fentry_can) {
    auto all = current;
    all.emplace(free_point.function);
    host traced{all, all};
    auto plan = traced.plan(attach_mode::automatic);
    BOOST_TEST((plan.points ==
                std::vector<hook_point>{
                    insert_point, accounting_point, {task::destroy, "nf_ct_destroy"}, free_point}));
    host probed{all, all};
    check_plan(probed.plan(attach_mode::kprobe), attach_mode::kprobe, "nf_ct_destroy");
    host avoided{all, all, {free_point.function}};
    check_plan(avoided.plan(attach_mode::fentry), attach_mode::fentry, "nf_ct_destroy");

    // It is no end to be hooked alone.
    all.erase("nf_ct_destroy");
    host alone{all, all};
    alone.plan(attach_mode::automatic);
    BOOST_TEST((alone.ec == errc::hook_missing));
}

BOOST_AUTO_TEST_CASE(a_split_function_is_noticed_beside_the_last_of_a_flow) {
    auto last = without(current, "nf_ct_destroy");
    last.insert({"nf_ct_delete", free_point.function});
    auto split = last;
    split.insert("nf_ct_delete.part.0");
    host h{last, split};
    h.plan(attach_mode::fentry);
    BOOST_TEST((h.ec == errc::fentry_unavailable));
}

BOOST_AUTO_TEST_CASE(hooks_say_how_each_function_is_attached) {
    const std::vector<hook_point> points{
        {task::insert, "i"},     {task::confirm, "c"}, {task::check_insert, "k"},
        {task::made, "m"},       {task::leaving, "l"}, {task::accounting, "a"},
        {task::destroy, "d"},    {task::delete_, "e"}, {task::free_, "f"},
        {task::early_drop, "v"}, {task::collect, "g"}};
    const attach_plan traced{attach_mode::fentry, points};
    BOOST_TEST((traced.hooks() == std::vector<hook>{{hook_role::insert, "i", "fentry"},
                                                    {hook_role::insert, "c", "fentry+fexit"},
                                                    {hook_role::insert, "k", "fexit"},
                                                    {hook_role::insert, "m", "fexit"},
                                                    {hook_role::insert, "l", "fentry"},
                                                    {hook_role::accounting, "a", "fexit"},
                                                    {hook_role::destroy, "d", "fentry"},
                                                    {hook_role::destroy, "e", "fentry"},
                                                    {hook_role::destroy, "f", "fentry"},
                                                    {hook_role::destroy, "v", "fentry+fexit"},
                                                    {hook_role::destroy, "g", "fentry+fexit"}}));
    const attach_plan probed{attach_mode::kprobe, points};
    BOOST_TEST(
        (probed.hooks() == std::vector<hook>{{hook_role::insert, "i", "kprobe"},
                                             {hook_role::insert, "c", "kprobe+kretprobe"},
                                             {hook_role::insert, "k", "kprobe+kretprobe"},
                                             {hook_role::insert, "m", "kretprobe"},
                                             {hook_role::insert, "l", "kprobe"},
                                             {hook_role::accounting, "a", "kprobe+kretprobe"},
                                             {hook_role::destroy, "d", "kprobe"},
                                             {hook_role::destroy, "e", "kprobe"},
                                             {hook_role::destroy, "f", "kprobe"},
                                             {hook_role::destroy, "v", "kprobe+kretprobe"},
                                             {hook_role::destroy, "g", "kprobe+kretprobe"}}));
}

BOOST_AUTO_TEST_SUITE_END()
