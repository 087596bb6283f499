// SPDX-License-Identifier: Apache-2.0
//
// What a user is told where the probe cannot be had. Each suite wants its own state of the machine
// and is run alone; see test/vm/CMakeLists.txt.
#include "support/netns.hpp"
#include "vm/watch.hpp"

#include <ctflow/ctflow.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include <bpf/btf.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ctflow;

namespace {

struct refusal {
    error_code code;
    diagnostics reason;
    std::string text; // Of both.
};

refusal refuse(const config& c) {
    boost::asio::io_context ctx;
    refusal r;
    const probe p(ctx, c, r.code, r.reason);
    if (r.code) {
        r.text = ctflow::system_error(r.code, r.reason).what();
        BOOST_TEST_MESSAGE(r.text);
    }
    return r;
}

refusal refuse(attach_mode mode, std::size_t pages = 0) {
    config c;
    c.attach = mode;
    c.buffer_pages = pages;
    return refuse(c);
}

bool mentions(const refusal& r, const std::string& word) {
    return r.text.find(word) != std::string::npos;
}

// Whether fentry cannot be had here by anybody: then that is the answer to those who may not, too.
bool no_fentry(const refusal& r, attach_mode mode) {
    return mode == attach_mode::fentry && r.code == errc::fentry_unavailable;
}

constexpr attach_mode all_modes[] = {attach_mode::automatic, attach_mode::fentry,
                                     attach_mode::kprobe};

void require(bool success, const char* what) {
    if (!success) {
        throw std::system_error(errno, std::generic_category(), what);
    }
}

// Another user, for the calling thread's rights.
struct nobody {
    nobody() { require(::seteuid(65534) == 0, "seteuid"); }
    ~nobody() { (void)::seteuid(0); }
};

// Nobody, but for CAP_BPF and CAP_PERFMON. For the calling thread.
struct only_tracing_capabilities {
    only_tracing_capabilities() {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        require(::syscall(SYS_capget, &header, before.data()) == 0, "capget");
        auto reduced = before;
        reduced[0].effective = 0;
        reduced[1].effective = 1U << (CAP_BPF - 32) | 1U << (CAP_PERFMON - 32);
        require(::syscall(SYS_capset, &header, reduced.data()) == 0, "capset");
    }
    ~only_tracing_capabilities() {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        (void)::syscall(SYS_capset, &header, before.data());
    }

    std::array<__user_cap_data_struct, 2> before{};
};

void lockable_memory(rlim_t bytes) {
    const rlimit limit{bytes, RLIM_INFINITY};
    require(::setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "setrlimit");
}

void paranoid(const char* level) {
    std::ofstream("/proc/sys/kernel/perf_event_paranoid") << level;
}

} // namespace

// A kernel whose nf_conntrack is not loaded.
BOOST_AUTO_TEST_SUITE(no_module)

BOOST_AUTO_TEST_CASE(says_to_load_the_module) {
    for (const auto mode : all_modes) {
        const auto r = refuse(mode);
        BOOST_TEST((r.code == errc::conntrack_missing));
        BOOST_TEST(mentions(r, "modprobe nf_conntrack"));
    }
}

BOOST_AUTO_TEST_CASE(nor_are_there_sysctls) {
    error_code ec;
    diagnostics diag;
    BOOST_TEST(apply_sysctls(ec, diag).empty());
    BOOST_TEST((ec == errc::sysctl_missing));
    BOOST_TEST(diag.find("nf_conntrack_acct") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

// A kernel that cannot be attached to as CTFLOW_ATTACH says.
BOOST_AUTO_TEST_SUITE(impossible)

BOOST_AUTO_TEST_CASE(says_why_and_automatic_does_not_try) {
    const auto mode = test::attach_under_test();
    const auto r = refuse(mode);
    if (mode == attach_mode::netfilter) {
        BOOST_REQUIRE((r.code == errc::netfilter_unavailable));
        BOOST_TEST(mentions(r, "Linux 6.4"));
        std::printf("not possible: %s\n", r.text.c_str()); // For the matrix.
        return;
    }
    BOOST_REQUIRE((r.code == errc::fentry_unavailable));
    std::printf("not possible: %s\n", r.reason.c_str());

    config c;
    boost::asio::io_context ctx;
    const probe p(ctx, c);
    BOOST_TEST((p.kernel().attach == attach_mode::kprobe));
    BOOST_REQUIRE(p.kernel().refused.size() == 1U);
    BOOST_TEST((p.kernel().refused.front().attach == attach_mode::fentry));
    BOOST_TEST((p.kernel().refused.front().error == errc::fentry_unavailable));
    BOOST_TEST(p.kernel().refused.front().diag == r.reason);
}

BOOST_AUTO_TEST_SUITE_END()

// A user who may not.
BOOST_AUTO_TEST_SUITE(not_root)

BOOST_AUTO_TEST_CASE(names_the_capabilities) {
    const nobody me;
    for (const auto mode : all_modes) {
        const auto r = refuse(mode);
        if (no_fentry(r, mode)) {
            continue;
        }
        BOOST_TEST((r.code == errc::missing_capabilities));
        BOOST_TEST(mentions(r, "CAP_BPF"));
        BOOST_TEST(mentions(r, "CAP_PERFMON"));
    }
}

BOOST_AUTO_TEST_CASE(sysctls_are_denied) {
    const nobody me;
    error_code ec;
    diagnostics diag;
    BOOST_TEST(apply_sysctls(ec, diag).empty());
    BOOST_TEST((ec == errc::sysctl_denied));
    BOOST_TEST(diag == "net.netfilter.nf_conntrack_acct=1");
    BOOST_CHECK_EXCEPTION(apply_sysctls(), ctflow::system_error, [](const auto& e) {
        return std::string(e.what()).find("CAP_NET_ADMIN") != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()

// A user with the two capabilities alone.
BOOST_AUTO_TEST_SUITE(two_capabilities)

BOOST_AUTO_TEST_CASE(suffice_for_kprobes_if_perf_is_not_paranoid) {
    paranoid("2");
    lockable_memory(RLIM_INFINITY); // Or 5.10 has no place for the maps.
    const only_tracing_capabilities me;
    BOOST_TEST(!refuse(attach_mode::kprobe).code);
    BOOST_TEST(!refuse(attach_mode::automatic).code); // Falls back to a kprobe.
    const auto r = refuse(attach_mode::fentry);
    BOOST_TEST(
        (!r.code || r.code == errc::missing_capabilities || no_fentry(r, attach_mode::fentry)));
}

BOOST_AUTO_TEST_CASE(are_told_what_is_in_the_way_if_it_is) {
    paranoid("3");
    lockable_memory(RLIM_INFINITY);
    const only_tracing_capabilities me;
    const auto r = refuse(attach_mode::kprobe);
    BOOST_TEST((r.code == errc::missing_capabilities));
    BOOST_TEST(mentions(r, "perf_event_paranoid"));
}

BOOST_AUTO_TEST_CASE(are_told_that_too_little_memory_may_be_locked) {
    paranoid("2");
    lockable_memory(64 * 1024);
    const only_tracing_capabilities me;
    const auto r = refuse(attach_mode::kprobe, 1024);
    BOOST_TEST((r.code == errc::locked_memory));
    BOOST_TEST(mentions(r, "ulimit -l is 64"));
}

BOOST_AUTO_TEST_SUITE_END()

// A file of BTF that is not the kernel's.
BOOST_AUTO_TEST_SUITE(another_btf)

BOOST_AUTO_TEST_CASE(is_refused_with_what_differs) {
    // The kernel's own, but for one field that has moved: libbpf hands out the bytes themselves.
    const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
    BOOST_REQUIRE(types);
    const auto id = btf__find_by_name_kind(types.get(), "nf_conn", BTF_KIND_STRUCT);
    BOOST_REQUIRE(id > 0);
    const auto* conn = btf__type_by_id(types.get(), static_cast<unsigned>(id));
    for (unsigned i = 0; i < btf_vlen(conn); ++i) {
        auto& member = btf_members(conn)[i];
        if (btf__name_by_offset(types.get(), member.name_off) == std::string("status")) {
            member.offset += 64;
        }
    }
    unsigned size = 0;
    const auto* bytes = static_cast<const char*>(btf__raw_data(types.get(), &size));
    const std::string path = "/tmp/another.btf";
    std::ofstream(path, std::ios::binary).write(bytes, size);
    for (const auto mode : all_modes) {
        config c;
        c.attach = mode;
        c.btf_file = path;
        const auto r = refuse(c);
        BOOST_TEST((r.code == errc::btf_file));
        BOOST_TEST(mentions(r, path + " is not of this kernel: nf_conn.status is at byte "));
        BOOST_TEST(mentions(r, "leave btf_file empty"));
    }
}

BOOST_AUTO_TEST_SUITE_END()

// A kernel that seems to have no BTF.
namespace {

constexpr const char* btf_copy = "/tmp/vmlinux.btf";

struct without_btf {
    without_btf() {
        if (!std::filesystem::exists(btf_copy)) {
            std::filesystem::copy_file("/sys/kernel/btf/vmlinux", btf_copy);
            require(::unshare(CLONE_NEWNS) == 0, "unshare");
            require(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount /");
            require(::mount("none", "/sys/kernel/btf", "tmpfs", 0, nullptr) == 0, "mount tmpfs");
        }
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(no_btf, without_btf)

BOOST_AUTO_TEST_CASE(says_what_the_kernel_lacks) {
    for (const auto mode : all_modes) {
        const auto r = refuse(mode);
        BOOST_TEST((r.code == errc::no_btf));
        BOOST_TEST(mentions(r, "CONFIG_DEBUG_INFO_BTF"));
    }
}

BOOST_AUTO_TEST_CASE(a_file_with_it_serves_as_well) {
    test::netns ns("ctflow-no-btf");
    config c;
    c.btf_file = btf_copy;
    test::watch w(c);
    BOOST_TEST((w.probe.kernel().attach == attach_mode::kprobe));
    ns.run("conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 1001 --dport 2001 -t 100 -m 7");
    ns.run("conntrack -F");
    w.until("the flow's end", [&] { return w.count(test::of_kind(event_kind::destroy)) > 0; });
    const auto last = w.select(test::of_kind(event_kind::destroy)).front();
    // Fields that lie elsewhere on other kernels.
    BOOST_TEST(last.src_port() == 1001);
    BOOST_TEST(last.dst_addr().to_string() == "192.0.2.2");
    BOOST_TEST(last.connmark() == 7U);
    BOOST_TEST(last.netns() == ns.inode());
    w.stop();

    c.attach = attach_mode::fentry; // Which the kernel itself must know the types for.
    const auto r = refuse(c);
    BOOST_TEST((r.code == errc::fentry_unavailable));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_none_is_named) {
    std::ofstream("/tmp/not.btf") << "not BTF";
    for (const char* file : {"/tmp/not.btf", "/tmp/missing.btf", "/tmp"}) {
        config c;
        c.btf_file = file;
        const auto r = refuse(c);
        BOOST_TEST((r.code == errc::btf_file));
        BOOST_TEST(mentions(r, file));
    }
}

BOOST_AUTO_TEST_SUITE_END()

// A kernel under lockdown=confidentiality.
BOOST_AUTO_TEST_SUITE(lockdown)

BOOST_AUTO_TEST_CASE(is_named_as_the_reason) {
    for (const auto mode : all_modes) {
        const auto r = refuse(mode);
        if (no_fentry(r, mode)) {
            continue;
        }
        BOOST_TEST((r.code == errc::lockdown));
        BOOST_TEST(mentions(r, "lockdown"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
