// SPDX-License-Identifier: Apache-2.0
#include "host/sysctl.hpp"

#include <ctflow/sysctl.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using ctflow::errc;
using ctflow::sysctl_change;

constexpr const char* acct_name = "net.netfilter.nf_conntrack_acct";

// A directory in place of /proc/sys.
class sysctl_root {
public:
    sysctl_root() {
        std::string pattern = (fs::temp_directory_path() / "ctflow-sysctl-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
        fs::create_directories(path / "net/netfilter");
    }
    ~sysctl_root() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    sysctl_root(const sysctl_root&) = delete;
    sysctl_root& operator=(const sysctl_root&) = delete;

    fs::path file() const { return path / "net/netfilter/nf_conntrack_acct"; }

    void write(const std::string& value) const { std::ofstream(file()) << value; }

    std::string read() const {
        std::ifstream in(file());
        return {std::istreambuf_iterator<char>(in), {}};
    }

    fs::path path;
};

struct outcome {
    std::vector<sysctl_change> changes;
    ctflow::error_code ec;
    ctflow::diagnostics diag;
};

outcome set(const sysctl_root& root, const char* value) {
    outcome o;
    ctflow::host::set_sysctl(root.path, acct_name, value, o.changes, o.ec, o.diag);
    return o;
}

// The modes of files do not bind root, until it lays down the capabilities that say so.
class bound_by_modes {
public:
    bound_by_modes() {
        BOOST_REQUIRE(::syscall(SYS_capget, &header_, before_.data()) == 0);
        auto less = before_;
        less[0].effective &= ~(1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH);
        BOOST_REQUIRE(::syscall(SYS_capset, &header_, less.data()) == 0);
    }
    ~bound_by_modes() {
        if (::syscall(SYS_capset, &header_, before_.data()) != 0) {
            std::abort(); // All that follows would run without them.
        }
    }
    bound_by_modes(const bound_by_modes&) = delete;
    bound_by_modes& operator=(const bound_by_modes&) = delete;

private:
    __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> before_{};
};

} // namespace

BOOST_AUTO_TEST_SUITE(sysctl)

BOOST_AUTO_TEST_CASE(a_value_that_differs_is_changed_and_reported) {
    const sysctl_root root;
    root.write("0\n");
    const auto o = set(root, "1");
    BOOST_TEST(!o.ec);
    BOOST_TEST(o.diag == "");
    BOOST_TEST(root.read() == "1\n");
    BOOST_REQUIRE(o.changes.size() == 1U);
    BOOST_TEST(o.changes[0].name == acct_name);
    BOOST_TEST(o.changes[0].from == "0");
    BOOST_TEST(o.changes[0].to == "1");
}

BOOST_AUTO_TEST_CASE(a_change_is_added_to_those_before) {
    const sysctl_root root;
    root.write("0\n");
    outcome o;
    o.changes.push_back({"a.b", "1", "2"});
    ctflow::host::set_sysctl(root.path, acct_name, "1", o.changes, o.ec, o.diag);
    BOOST_REQUIRE(o.changes.size() == 2U);
    BOOST_TEST(o.changes[0].name == "a.b");
    BOOST_TEST(o.changes[1].name == acct_name);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_equal_is_left_alone) {
    for (const char* text : {"1\n", "1", "1 \n"}) {
        const sysctl_root root;
        root.write(text);
        // A file that may not be written shows that nobody tries.
        fs::permissions(root.file(), fs::perms::owner_read);
        const bound_by_modes bound;
        const auto o = set(root, "1");
        BOOST_TEST(!o.ec);
        BOOST_TEST(o.diag == "");
        BOOST_TEST(o.changes.empty());
        BOOST_TEST(root.read() == text);
    }
}

BOOST_AUTO_TEST_CASE(values_are_compared_whole) {
    const sysctl_root root;
    root.write("10\n");
    const auto o = set(root, "1");
    BOOST_REQUIRE(o.changes.size() == 1U);
    BOOST_TEST(o.changes[0].from == "10");
}

BOOST_AUTO_TEST_CASE(a_sysctl_that_does_not_exist_is_an_error_that_names_it) {
    const sysctl_root root;
    const auto o = set(root, "1");
    BOOST_TEST(o.ec == make_error_code(errc::sysctl_missing));
    BOOST_TEST(o.diag.find(acct_name) != std::string::npos);
    BOOST_TEST(o.changes.empty());
    BOOST_TEST(!fs::exists(root.file())); // Not made up, either.
}

BOOST_AUTO_TEST_CASE(without_the_modules_directory_it_does_not_exist_either) {
    const sysctl_root root;
    fs::remove_all(root.path / "net");
    BOOST_TEST(set(root, "1").ec == make_error_code(errc::sysctl_missing));
}

BOOST_AUTO_TEST_CASE(a_sysctl_that_may_not_be_written_is_an_error_that_names_it) {
    const sysctl_root root;
    root.write("0\n");
    fs::permissions(root.file(), fs::perms::owner_read);
    const bound_by_modes bound;
    BOOST_REQUIRE(root.read() == "0\n"); // Reading is not what fails.
    const auto o = set(root, "1");
    BOOST_TEST(o.ec == make_error_code(errc::sysctl_denied));
    BOOST_TEST(o.diag.find(acct_name) != std::string::npos);
    BOOST_TEST(o.changes.empty());
    BOOST_TEST(root.read() == "0\n");
}

BOOST_AUTO_TEST_CASE(other_failures_keep_their_errno) {
    const sysctl_root root;
    fs::create_directory(root.file());
    const auto o = set(root, "1");
    BOOST_TEST(o.ec == ctflow::error_code(EISDIR, boost::system::system_category()));
    BOOST_TEST(o.diag.find(acct_name) != std::string::npos);
    BOOST_TEST(o.changes.empty());
}

BOOST_AUTO_TEST_SUITE_END()
