// SPDX-License-Identifier: Apache-2.0
#include <ctflow/kernel.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>

namespace {

using ctflow::errc;
using ctflow::error_code;

ctflow::selection choose(const char* release, error_code& ec) {
    return ctflow::select(release, ec);
}

void check_refused(const char* release, errc expected) {
    BOOST_TEST_CONTEXT('"' << release << '"') {
        error_code ec;
        const auto s = choose(release, ec);
        BOOST_TEST(ec == make_error_code(expected));
        BOOST_TEST(s.name.empty());
        BOOST_TEST(s.object.empty());
        BOOST_TEST(s.kernel.release.empty());
    }
}

} // namespace

// A suite is a namespace, and ::select is a function of the C library.
namespace ctflow_test {

BOOST_AUTO_TEST_SUITE(select)

BOOST_AUTO_TEST_CASE(a_release_gets_an_object_and_its_kernel) {
    error_code ec = errc::lockdown; // From something before.
    const auto s = choose("6.1.0-56-cloud-amd64", ec);
    BOOST_TEST(!ec);
    BOOST_TEST(s.name == "acct");
    BOOST_TEST(s.kernel.release == "6.1.0-56-cloud-amd64");
    BOOST_TEST((s.kernel.attach == ctflow::attach_mode::automatic));
    BOOST_TEST(s.kernel.hooks.empty());
}

BOOST_AUTO_TEST_CASE(the_object_is_an_elf_file) {
    error_code ec;
    const auto s = choose("6.1.0", ec);
    BOOST_REQUIRE(s.object.size() > 64);
    BOOST_TEST((s.object[0] == std::byte{0x7f}));
    BOOST_TEST((s.object[1] == std::byte{'E'}));
    BOOST_TEST((s.object[2] == std::byte{'L'}));
    BOOST_TEST((s.object[3] == std::byte{'F'}));
    BOOST_TEST((s.object[4] == std::byte{2}));                                      // 64 bits
    BOOST_TEST((s.object[18] == std::byte{247} || s.object[19] == std::byte{247})); // EM_BPF
}

BOOST_AUTO_TEST_CASE(kernels_from_5_8_on_are_served) {
    for (const char* release : {"5.8", "5.8.0", "5.8-rc1", "5.10.0-46-cloud-amd64", "5.15.0", "6.0",
                                "6.18.15+deb13-cloud-amd64", "10.0"}) {
        BOOST_TEST_CONTEXT(release) {
            error_code ec;
            const auto s = choose(release, ec);
            BOOST_TEST(!ec);
            BOOST_TEST(s.kernel.release == release);
            BOOST_TEST(!s.object.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(older_kernels_are_refused) {
    for (const char* release : {"5.7", "5.7.99", "5.4.0-100-generic", "4.20.3-200.fc29.x86_64",
                                "4.19", "3.10.0-1160.el7.x86_64", "0.0"}) {
        check_refused(release, errc::kernel_too_old);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_release_is_refused) {
    for (const char* release : {"", "x", "6", "6.", ".1", "-1.2", "99999999999.1"}) {
        check_refused(release, errc::kernel_release);
    }
}

BOOST_AUTO_TEST_CASE(the_throwing_form_gives_the_same) {
    error_code ec;
    const auto expected = choose("6.1.0", ec);
    const auto s = ctflow::select("6.1.0");
    BOOST_TEST(s.name == expected.name);
    BOOST_TEST(s.object.data() == expected.object.data());
    BOOST_TEST(s.kernel.release == "6.1.0");
}

BOOST_AUTO_TEST_CASE(the_throwing_form_says_which_release_it_was) {
    const auto says = [](const char* release, errc expected) {
        return [=](const ctflow::system_error& e) {
            return e.code() == expected && std::string(e.what()).find(release) != std::string::npos;
        };
    };
    BOOST_CHECK_EXCEPTION(ctflow::select("5.7.19-old"), ctflow::system_error,
                          says("5.7.19-old", errc::kernel_too_old));
    BOOST_CHECK_EXCEPTION(ctflow::select("rubbish"), ctflow::system_error,
                          says("rubbish", errc::kernel_release));
    BOOST_CHECK_EXCEPTION(ctflow::select(""), ctflow::system_error,
                          says("MAJOR.MINOR", errc::kernel_release));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ctflow_test
