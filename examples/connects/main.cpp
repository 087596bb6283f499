// SPDX-License-Identifier: Apache-2.0
//
// Prints each TCP connection that is begun through a network interface.
//
// It is here for ctflow::ring_buffer: the BPF program is one of its own, at the interface's egress,
// and has nothing to do with conntrack. libbpf loads and attaches it; its ring buffer is read
// inside this program's own io_context. With a perf event array, write perf_buffer and perf_record.
#include "attempt.h"

#include <ctflow/ring_buffer.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include <bpf/libbpf.h>
#include <connects.skel.h>
#include <net/if.h>

namespace asio = boost::asio;

namespace {

void check(int result, const std::string& what) {
    if (result < 0) {
        throw std::system_error(-result, std::generic_category(), what);
    }
}

struct unload {
    void operator()(connects* program) const noexcept { connects::destroy(program); }
};
using program = std::unique_ptr<connects, unload>;

program load() {
    program p(connects::open_and_load());
    check(p ? 0 : -errno, "loading the program (it needs root)");
    return p;
}

// To be told to libbpf, which wants zeros between the members too: `{}` need not put them there.
template <class Options>
void clear(Options& options) {
    std::memset(&options, 0, sizeof(options));
    options.sz = sizeof(options);
}

// The program at an interface's egress, as long as this lives.
class attachment {
public:
    attachment(const program& p, const std::string& interface) {
        clear(hook_);
        hook_.attach_point = BPF_TC_EGRESS;
        hook_.ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
        check(hook_.ifindex != 0 ? 0 : -errno, interface);
        // It stays there, with nothing in it: others may have come to use it when we go.
        const int created = bpf_tc_hook_create(&hook_);
        check(created == -EEXIST ? 0 : created, "making a clsact qdisc");
        bpf_tc_opts options;
        clear(options);
        options.prog_fd = bpf_program__fd(p->progs.on_egress);
        check(bpf_tc_attach(&hook_, &options), "attaching");
        handle_ = options.handle;
        priority_ = options.priority;
    }
    ~attachment() {
        bpf_tc_opts options;
        clear(options);
        options.handle = handle_;
        options.priority = priority_;
        bpf_tc_detach(&hook_, &options);
    }
    attachment(const attachment&) = delete;
    attachment& operator=(const attachment&) = delete;

private:
    bpf_tc_hook hook_;
    std::uint32_t handle_ = 0;
    std::uint32_t priority_ = 0;
};

std::string endpoint(const __u8* address, const attempt& a, __u16 port) {
    if (a.ip_version == 4) {
        asio::ip::address_v4::bytes_type bytes;
        std::copy_n(address, bytes.size(), bytes.begin());
        return asio::ip::address_v4(bytes).to_string() + ":" + std::to_string(port);
    }
    asio::ip::address_v6::bytes_type bytes;
    std::copy_n(address, bytes.size(), bytes.begin());
    return "[" + asio::ip::address_v6(bytes).to_string() + "]:" + std::to_string(port);
}

void print(const ctflow::ring_record& record) {
    attempt a;
    if (record.data.size() != sizeof(a)) {
        return;
    }
    std::memcpy(&a, record.data.data(), sizeof(a));
    std::cout << endpoint(a.source, a, a.source_port) << " -> "
              << endpoint(a.destination, a, a.destination_port) << '\n';
}

asio::awaitable<void> print_all(ctflow::ring_buffer& attempts) {
    std::array<ctflow::ring_record, 64> records;
    while (std::cout.flush()) { // Until who reads it has gone.
        const auto n = co_await attempts.async_receive(records);
        std::for_each_n(records.begin(), n, print);
    }
}

asio::awaitable<void> watch(ctflow::ring_buffer& attempts) {
    using namespace asio::experimental::awaitable_operators;
    asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM, SIGHUP);
    co_await (print_all(attempts) || signals.async_wait(asio::use_awaitable));
}

} // namespace

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::cerr << "usage: connects INTERFACE\n";
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN); // The end of stdout must not leave the program attached.
    libbpf_set_print(nullptr);     // It speaks on stderr otherwise.
    const program p = load();
    asio::io_context context;
    ctflow::ring_buffer attempts(context, bpf_map__fd(p->maps.attempts));
    const attachment attached(p, argv[1]);
    std::cerr << "connections that begin through " << argv[1] << ":\n";

    std::exception_ptr failure;
    asio::co_spawn(context, watch(attempts), [&](std::exception_ptr e) { failure = std::move(e); });
    context.run();
    if (failure) {
        std::rethrow_exception(failure);
    }
    if (p->bss->lost != 0) {
        std::cerr << p->bss->lost << " lost: the ring was full\n";
    }
} catch (const std::exception& e) {
    std::cerr << "connects: " << e.what() << '\n';
    return 1;
}
