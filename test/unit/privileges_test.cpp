// SPDX-License-Identifier: Apache-2.0
#include "host/privileges.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using ctflow::host::lockdown_mode;
using ctflow::host::missing_capabilities;
using ctflow::host::parse_effective_capabilities;
using ctflow::host::parse_lockdown;

// The bits of capabilities(7), by number: not by the names that the library uses.
constexpr std::uint64_t sys_admin = std::uint64_t{1} << 21;
constexpr std::uint64_t perfmon = std::uint64_t{1} << 38;
constexpr std::uint64_t bpf = std::uint64_t{1} << 39;

// Asks the kernel, where the library reads a file.
class capabilities {
public:
    capabilities() { BOOST_REQUIRE(::syscall(SYS_capget, &header_, data_.data()) == 0); }

    std::uint64_t effective() const {
        return data_[0].effective | std::uint64_t{data_[1].effective} << 32;
    }

    void set_effective(std::uint64_t set) {
        data_[0].effective = static_cast<std::uint32_t>(set);
        data_[1].effective = static_cast<std::uint32_t>(set >> 32);
        BOOST_REQUIRE(::syscall(SYS_capset, &header_, data_.data()) == 0);
    }

private:
    __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data_{};
};

} // namespace

BOOST_AUTO_TEST_SUITE(privileges)

BOOST_AUTO_TEST_CASE(the_lockdown_mode_in_brackets_is_in_force) {
    BOOST_TEST((parse_lockdown("[none] integrity confidentiality\n") == lockdown_mode::none));
    BOOST_TEST((parse_lockdown("none [integrity] confidentiality\n") == lockdown_mode::integrity));
    BOOST_TEST(
        (parse_lockdown("none integrity [confidentiality]\n") == lockdown_mode::confidentiality));
    BOOST_TEST((parse_lockdown("[none]") == lockdown_mode::none));
}

BOOST_AUTO_TEST_CASE(a_lockdown_text_that_makes_no_sense_is_no_answer) {
    for (const char* text :
         {"", "\n", "none integrity confidentiality", "none [integrity", "none integrity]", "[]",
          "[none", "] [none", "[bogus]", "[None]", "[none integrity]", "][", "[", "]"}) {
        BOOST_TEST_CONTEXT('"' << text << '"') {
            BOOST_TEST(!parse_lockdown(text).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(perf_events_tell_of_confidentiality_and_of_nothing_else) {
    using ctflow::host::lockdown_by_perf;
    BOOST_TEST((lockdown_by_perf(0, EPERM) == lockdown_mode::confidentiality));
    BOOST_TEST((lockdown_by_perf(0, 0) == lockdown_mode::not_confidentiality));
    for (const int other : {EACCES, EINVAL, ENOSYS, EOPNOTSUPP}) {
        BOOST_TEST(!lockdown_by_perf(0, other).has_value());
    }
    for (const int refused : {EPERM, EACCES, ENOSYS}) {
        BOOST_TEST(!lockdown_by_perf(refused, refused).has_value());
        BOOST_TEST(!lockdown_by_perf(refused, 0).has_value());
    }
}

BOOST_AUTO_TEST_CASE(effective_capabilities_are_found_in_a_status) {
    const std::string status = "Name:\tflowdump\n"
                               "Uid:\t0\t0\t0\t0\n"
                               "CapInh:\t0000000000000001\n"
                               "CapPrm:\t0000000000000002\n"
                               "CapEff:\t000001ffffffffff\n"
                               "CapBnd:\t0000000000000004\n"
                               "CapAmb:\t0000000000000008\n";
    BOOST_TEST(parse_effective_capabilities(status).value() == 0x1ffffffffffU);
    BOOST_TEST(parse_effective_capabilities("CapEff:\t0000000000000000\n").value() == 0U);
    BOOST_TEST(parse_effective_capabilities("CapEff:\tffffffffffffffff\n").value() ==
               0xffffffffffffffffU);
    BOOST_TEST(parse_effective_capabilities("CapEff:\t000000c000000000").value() ==
               (bpf | perfmon));
}

BOOST_AUTO_TEST_CASE(a_status_without_them_is_no_answer) {
    for (const char* text :
         {"", "CapEff", "CapEff:", "CapEff:\t", "CapEff:\t\n", "CapEff:\txyz\n", "CapEff:\t-1\n",
          "CapPrm:\t000001ffffffffff\n", "CapEff:\t1ffffffffffffffff\n"}) {
        BOOST_TEST_CONTEXT('"' << text << '"') {
            BOOST_TEST(!parse_effective_capabilities(text).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_missing_for_tracing_is_named) {
    BOOST_TEST(missing_capabilities(0) == "CAP_BPF, CAP_PERFMON");
    BOOST_TEST(missing_capabilities(bpf) == "CAP_PERFMON");
    BOOST_TEST(missing_capabilities(perfmon) == "CAP_BPF");
    BOOST_TEST(missing_capabilities(bpf | perfmon) == "");
    BOOST_TEST(missing_capabilities(~(bpf | perfmon | sys_admin)) == "CAP_BPF, CAP_PERFMON");
}

BOOST_AUTO_TEST_CASE(cap_sys_admin_stands_for_both) {
    BOOST_TEST(missing_capabilities(sys_admin) == "");
    BOOST_TEST(missing_capabilities(sys_admin | bpf) == "");
    BOOST_TEST(missing_capabilities(~std::uint64_t{0}) == "");
}

BOOST_AUTO_TEST_CASE(netfilter_needs_one_more) {
    constexpr std::uint64_t net_admin = std::uint64_t{1} << 12;
    using enum ctflow::attach_mode;
    BOOST_TEST(missing_capabilities(0, netfilter) == "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN");
    BOOST_TEST(missing_capabilities(bpf | perfmon, netfilter) == "CAP_NET_ADMIN");
    BOOST_TEST(missing_capabilities(bpf | perfmon | net_admin, netfilter) == "");
    BOOST_TEST(missing_capabilities(sys_admin, netfilter) == "CAP_NET_ADMIN"); // Not for that one.
    BOOST_TEST(missing_capabilities(sys_admin | net_admin, netfilter) == "");
    for (const auto other : {automatic, fentry, kprobe}) {
        BOOST_TEST(missing_capabilities(bpf | perfmon, other) == "");
    }
}

BOOST_AUTO_TEST_CASE(this_process_has_what_the_kernel_says_it_has) {
    BOOST_TEST(missing_capabilities() == missing_capabilities(capabilities().effective()));
}

BOOST_AUTO_TEST_CASE(a_process_that_lays_its_capabilities_down_lacks_both) {
    capabilities own;
    const auto before = own.effective();
    own.set_effective(0);
    const auto missing = missing_capabilities();
    own.set_effective(before);
    BOOST_TEST(missing == "CAP_BPF, CAP_PERFMON");
}

BOOST_AUTO_TEST_SUITE_END()
