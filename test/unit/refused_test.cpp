// SPDX-License-Identifier: Apache-2.0
#include "bpf/refused.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <string>
#include <tuple>
#include <vector>

namespace {

using ctflow::attach_mode;
using ctflow::diagnostics;
using ctflow::errc;
using ctflow::error_code;
using ctflow::refused_attach;

// What is told when fentry, kprobes and netfilter were refused for these.
struct told {
    told(error_code fentry, error_code kprobe, error_code netfilter) {
        const std::vector<refused_attach> all{{attach_mode::fentry, fentry, "of fentry"},
                                              {attach_mode::kprobe, kprobe, "of kprobe"},
                                              {attach_mode::netfilter, netfilter, "of netfilter"}};
        std::tie(code, diag) = ctflow::bpf::tell(all);
    }

    bool starts(const char* text) const { return diag.rfind(text, 0) == 0; }
    bool mentions(errc e) const {
        return diag.find(make_error_code(e).message()) != diagnostics::npos;
    }

    error_code code;
    diagnostics diag;
};

} // namespace

BOOST_AUTO_TEST_SUITE(refused)

BOOST_AUTO_TEST_CASE(the_first_reason_is_told) {
    const told t(errc::load_failed, errc::attach_failed, errc::netfilter_unavailable);
    BOOST_TEST((t.code == errc::load_failed));
    BOOST_TEST(t.diag == "of fentry");
}

BOOST_AUTO_TEST_CASE(but_not_that_the_kernel_cannot_do_fentry) {
    const told t(errc::fentry_unavailable, errc::missing_capabilities, errc::missing_capabilities);
    BOOST_TEST((t.code == errc::missing_capabilities));
    BOOST_TEST(t.diag == "of kprobe");
}

BOOST_AUTO_TEST_CASE(nor_that_rights_are_missing_of_which_kprobes_have_no_need) {
    const told t(errc::missing_capabilities, errc::locked_memory, errc::netfilter_unavailable);
    BOOST_TEST((t.code == errc::locked_memory));
}

BOOST_AUTO_TEST_CASE(unless_kprobes_cannot_be_had_at_all) {
    for (const auto impossible : {errc::hook_missing, errc::no_symbols}) {
        const told t(errc::missing_capabilities, impossible, errc::netfilter_unavailable);
        BOOST_TEST((t.code == errc::missing_capabilities));
        BOOST_TEST(t.diag == "of fentry");
    }
}

BOOST_AUTO_TEST_CASE(who_may_not_trace_is_told_what_netfilter_would_need) {
    for (const auto forbidden : {errc::lockdown, errc::forbidden}) {
        const told t(forbidden, forbidden, errc::netfilter_unavailable);
        BOOST_TEST((t.code == forbidden));
        BOOST_TEST(t.starts("of fentry; netfilter"));
        BOOST_TEST(t.mentions(errc::netfilter_unavailable));

        const told module(forbidden, errc::hook_missing, errc::ctnetlink_missing);
        BOOST_TEST((module.code == forbidden));
        BOOST_TEST(module.mentions(errc::ctnetlink_missing));
    }
}

BOOST_AUTO_TEST_CASE(one_refusal_is_told_as_it_is) {
    const std::vector<refused_attach> all{
        {attach_mode::kprobe, errc::conntrack_missing, "the only one"}};
    const auto [code, diag] = ctflow::bpf::tell(all);
    BOOST_TEST((code == errc::conntrack_missing));
    BOOST_TEST(diag == "the only one");
}

BOOST_AUTO_TEST_CASE(what_another_way_would_meet_again_ends_the_search) {
    const error_code descriptors(EMFILE, boost::system::system_category());
    for (const auto e :
         {error_code(errc::conntrack_missing), error_code(errc::no_btf), error_code(errc::btf_file),
          error_code(errc::buffer_pages), error_code(errc::no_memory),
          error_code(errc::locked_memory), descriptors}) {
        BOOST_TEST(!ctflow::bpf::concerns_one_way(e));
    }
    for (const auto e : {errc::fentry_unavailable, errc::hook_missing, errc::no_symbols,
                         errc::missing_capabilities, errc::lockdown, errc::forbidden,
                         errc::load_failed, errc::attach_failed}) {
        BOOST_TEST(ctflow::bpf::concerns_one_way(e));
    }
}

BOOST_AUTO_TEST_SUITE_END()
