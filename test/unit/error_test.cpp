// SPDX-License-Identifier: Apache-2.0
#include <ctflow/error.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>
#include <type_traits>

namespace {

using ctflow::errc;
using ctflow::error_code;

constexpr int first = static_cast<int>(errc::curve0_age);
constexpr int last = static_cast<int>(errc::filter_too_long);

// What is said of a value that is none of ours.
std::string unknown() {
    return ctflow::category().message(-1);
}

} // namespace

BOOST_AUTO_TEST_SUITE(error)

BOOST_AUTO_TEST_CASE(every_error_has_a_message_of_its_own) {
    std::set<std::string> messages;
    for (int value = first; value <= last; ++value) {
        const auto text = make_error_code(static_cast<errc>(value)).message();
        BOOST_TEST_CONTEXT("error " << value << ", \"" << text << '"') {
            BOOST_TEST(text.size() > 10);
            BOOST_TEST(text != unknown());
            BOOST_TEST(messages.insert(text).second);
        }
    }
    BOOST_TEST(messages.size() == static_cast<std::size_t>(last - first + 1));
}

BOOST_AUTO_TEST_CASE(there_are_no_errors_beside_those) {
    BOOST_TEST(first == 1); // Zero is success.
    BOOST_TEST(ctflow::category().message(0) == unknown());
    BOOST_TEST(ctflow::category().message(last + 1) == unknown());
    BOOST_TEST(!unknown().empty());
}

BOOST_AUTO_TEST_CASE(messages_say_what_to_do) {
    const auto says = [](errc e, const char* what) {
        return make_error_code(e).message().find(what) != std::string::npos;
    };
    BOOST_TEST(says(errc::curve0_age, "curve0"));
    BOOST_TEST(says(errc::curve1_age, "curve1"));
    BOOST_TEST(says(errc::buffer_pages, "power of two"));
    BOOST_TEST(says(errc::kernel_release, "MAJOR.MINOR"));
    BOOST_TEST(says(errc::no_btf, "CONFIG_DEBUG_INFO_BTF"));
    BOOST_TEST(says(errc::conntrack_missing, "modprobe nf_conntrack"));
    BOOST_TEST(says(errc::no_symbols, "/proc/kallsyms cannot be read"));
    BOOST_TEST(says(errc::fentry_unavailable, "kprobe"));
    BOOST_TEST(says(errc::netlink_buffer, "4096"));
    BOOST_TEST(says(errc::reserve_pages, "16384"));
    BOOST_TEST(says(errc::flush_interval, "a second"));
    BOOST_TEST(says(errc::audit_interval, "a day"));
    BOOST_TEST(says(errc::netfilter_unavailable, "Linux 6.4"));
    BOOST_TEST(says(errc::ctnetlink_missing, "modprobe nf_conntrack_netlink"));
    BOOST_TEST(says(errc::missing_capabilities, "CAP_BPF"));
    BOOST_TEST(says(errc::missing_capabilities, "CAP_PERFMON"));
    BOOST_TEST(says(errc::locked_memory, "ulimit -l"));
    BOOST_TEST(says(errc::locked_memory, "CAP_IPC_LOCK"));
    BOOST_TEST(says(errc::locked_memory, "CAP_SYS_RESOURCE"));
    BOOST_TEST(says(errc::no_memory, "max_flows"));
    BOOST_TEST(says(errc::no_memory, "buffer_pages"));
    BOOST_TEST(says(errc::lockdown, "lockdown"));
    BOOST_TEST(says(errc::forbidden, "/sys/kernel/security/lsm"));
    BOOST_TEST(says(errc::sysctl_missing, "modprobe nf_conntrack"));
    BOOST_TEST(says(errc::sysctl_denied, "CAP_NET_ADMIN"));
    BOOST_TEST(says(errc::filter_syntax, "proto tcp"));
    BOOST_TEST(says(errc::no_filter, "config::filter"));
    BOOST_TEST(says(errc::filter_too_long, "64"));
}

BOOST_AUTO_TEST_CASE(the_category_is_one_and_has_a_name) {
    BOOST_TEST(ctflow::category().name() == std::string("ctflow"));
    BOOST_TEST(&ctflow::category() == &ctflow::category());
    BOOST_TEST((make_error_code(errc::lockdown).category() == ctflow::category()));
}

BOOST_AUTO_TEST_CASE(an_errc_converts_by_itself) {
    static_assert(std::is_convertible_v<errc, error_code>);
    const error_code ec = errc::duplicate_consumer;
    BOOST_TEST(ec.failed());
    BOOST_TEST(ec.value() == static_cast<int>(errc::duplicate_consumer));
    BOOST_TEST((ec.category() == ctflow::category()));
}

BOOST_AUTO_TEST_CASE(errors_are_equal_if_value_and_category_are) {
    const error_code ec = errc::already_started;
    BOOST_TEST((ec == errc::already_started));
    BOOST_TEST((ec != errc::not_started));
    BOOST_TEST((ec != error_code()));
    BOOST_TEST((ec != error_code(ec.value(), boost::system::system_category())));
    BOOST_TEST((ec != error_code(ec.value(), boost::system::generic_category())));

    error_code assigned;
    BOOST_TEST(!assigned.failed());
    assigned = errc::already_started;
    BOOST_TEST(assigned == ec);
}

BOOST_AUTO_TEST_CASE(a_system_error_carries_code_and_message) {
    const ctflow::system_error e(errc::max_flows, "while testing");
    BOOST_TEST((e.code() == errc::max_flows));
    const std::string what = e.what();
    BOOST_TEST(what.find("while testing") != std::string::npos);
    BOOST_TEST(what.find(make_error_code(errc::max_flows).message()) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
