// SPDX-License-Identifier: Apache-2.0
//
// Starts a probe as root, gives up all that root may do, and goes on printing events: what has been
// opened stays open. docs/security.md says what goes on working, and what does not.
//
// usage: drop_privileges [UID]; a user of its own is better than 65534, whom others use as well
#include <ctflow/ctflow.hpp>

#include <boost/asio.hpp>

#include <array>
#include <charconv>
#include <csignal>
#include <cstring>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace asio = boost::asio;

namespace {

void must(bool done, const char* what) {
    if (!done) {
        throw ctflow::system_error({errno, boost::system::system_category()}, what);
    }
}

// For good. Before there is a second thread: glibc changes the ids of all threads, but what prctl
// and capset change is the calling thread's alone.
void drop_privileges(uid_t uid) {
    const gid_t gid = uid;
    // While we may (CAP_SETPCAP): what no program that we execute can have either. EINVAL: the
    // kernel knows no more of them.
    for (unsigned long each = 0; ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0) == 0; ++each) {
    }
    must(errno == EINVAL, "the bounding set of capabilities");
    must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
    // Groups before the user, whose right it takes to leave them.
    must(::setgroups(0, nullptr) == 0, "setgroups");
    must(::setresgid(gid, gid, gid) == 0, "setresgid");
    must(::setresuid(uid, uid, uid) == 0, "setresuid");
    // That took the capabilities away, unless PR_SET_KEEPCAPS or securebits said otherwise, and
    // left the inheritable ones. This leaves none, whatever was set.
    __user_cap_header_struct self{_LINUX_CAPABILITY_VERSION_3, 0};
    const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
    must(::syscall(SYS_capset, &self, none.data()) == 0, "capset");

    // Seen to be so.
    if (uid == 0 || ::setresuid(0, 0, 0) == 0 || ::setresgid(0, 0, 0) == 0) {
        throw std::runtime_error("still, or again, root");
    }
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> left{};
    must(::syscall(SYS_capget, &self, left.data()) == 0, "capget");
    if (std::memcmp(left.data(), none.data(), sizeof(none)) != 0) {
        throw std::runtime_error("capabilities are left");
    }
}

asio::awaitable<void> print(ctflow::consumer& flows) {
    std::array<ctflow::event, 256> batch;
    for (;;) {
        const auto [ec, n] =
            co_await flows.async_receive(batch, asio::as_tuple(asio::use_awaitable));
        if (ec) {
            co_return; // The probe has stopped, and this was all.
        }
        for (const auto& event : std::span(batch).first(n)) {
            std::cout << event << '\n';
        }
        std::cout.flush();
    }
}

} // namespace

int main(int argc, char** argv) try {
    uid_t uid = 65534;
    if (argc > 1) {
        const char* const end = argv[1] + std::strlen(argv[1]);
        if (std::from_chars(argv[1], end, uid).ptr != end || uid == 0) {
            std::cerr << "usage: drop_privileges [UID], of any user but root\n";
            return 2;
        }
    }
    asio::io_context context(1);
    ctflow::apply_sysctls();
    ctflow::probe probe(context);
    ctflow::consumer flows(context, "example");
    probe.register_consumer(flows);
    probe.start();
    drop_privileges(uid);
    std::cerr << "unprivileged from here on, uid " << ::getuid() << '\n';

    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](ctflow::error_code ec, int) {
        if (!ec) {
            probe.stop(); // Takes no right.
        }
    });
    probe.async_run([&](ctflow::error_code ec) {
        signals.cancel();
        if (ec) {
            std::cerr << ec.message() << '\n';
        }
    });
    asio::co_spawn(context, print(flows), asio::detached);
    context.run();
    std::cerr << probe.stats().updates_without_ring
              << " updates lost, of CPUs that came online too late to be given a buffer\n";
} catch (const std::exception& e) {
    std::cerr << "drop_privileges: " << e.what() << '\n';
    return 1;
}
