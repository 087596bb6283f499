// SPDX-License-Identifier: Apache-2.0
//
// Which process began a flow: told where it is known, and never another one.
#include "vm/routed.hpp"
#include "vm/world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using asio::ip::make_address;
using asio::ip::tcp;
using asio::ip::udp;

namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// A process that does something and ends, or is ended with the object.
class child {
public:
    explicit child(const std::function<void()>& work) : pid_(::fork()) {
        if (pid_ < 0) {
            fail("fork");
        }
        if (pid_ == 0) {
            try {
                work();
                ::_exit(0);
            } catch (const std::exception& e) {
                std::fprintf(stderr, "child: %s\n", e.what());
            }
            ::_exit(1);
        }
    }
    ~child() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    std::uint32_t pid() const noexcept { return static_cast<std::uint32_t>(pid_); }

    void wait() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
        BOOST_TEST(status == 0);
    }

private:
    pid_t pid_;
};

// A cgroup of version 2.
class cgroup {
public:
    cgroup() {
        std::filesystem::create_directories(root);
        shell(std::string("mount -t cgroup2 none ") + root);
        std::filesystem::create_directory(path);
        struct stat s {};
        if (::stat(path, &s) != 0) {
            fail(path);
        }
        id_ = s.st_ino;
    }
    ~cgroup() {
        ::rmdir(path);
        if (std::system((std::string("umount ") + root).c_str()) != 0) {
            std::fprintf(stderr, "%s is still mounted\n", root);
        }
    }
    cgroup(const cgroup&) = delete;
    cgroup& operator=(const cgroup&) = delete;

    std::uint64_t id() const noexcept { return id_; }

    static void enter() {
        if (!(std::ofstream(std::string(path) + "/cgroup.procs") << "0" << std::flush)) {
            fail("entering the cgroup");
        }
    }

private:
    static constexpr const char* root = "/run/ctflow-cgroups";
    static constexpr const char* path = "/run/ctflow-cgroups/client";
    std::uint64_t id_ = 0;
};

config telling_processes() {
    auto c = every_packet();
    c.processes = true;
    return c;
}

void call_it(const char* name) {
    ::prctl(PR_SET_NAME, name);
}

watch::filter by_this_process() {
    return [pid = static_cast<std::uint32_t>(::getpid())](const event& e) {
        return e.process() && e.process()->pid == pid;
    };
}

} // namespace

BOOST_AUTO_TEST_SUITE(origin)

BOOST_FIXTURE_TEST_CASE(a_client_is_told_by_its_side_until_its_flows_end, world) {
    const cgroup group;
    watch w(telling_processes());
    auto server = listen(net.b, "192.0.2.2", 2001);
    auto receiver = bind_udp(net.b, "192.0.2.2", 2002);
    child client([&] {
        cgroup::enter();
        call_it("a client");
        asio::io_context here;
        const netns::inside in(net.a);
        udp::socket datagrams(here, {make_address("192.0.2.1"), 1002});
        datagrams.send_to(asio::buffer("text", 4), {make_address("192.0.2.2"), 2002});
        tcp::socket stream(here, {make_address("192.0.2.1"), 1001});
        stream.connect({make_address("192.0.2.2"), 2001});
        asio::write(stream, asio::buffer("text", 4));
    });
    const flow_process expected{client.pid(), group.id(), "a client"};
    client.wait();
    { auto accepted = server.accept(); }
    receive(receiver);
    for (const std::uint16_t port : {std::uint16_t{1001}, std::uint16_t{1002}}) {
        BOOST_TEST_CONTEXT("port " << port) {
            const std::string arguments = std::string("-p ") + (port == 1001 ? "tcp" : "udp") +
                                          " --orig-port-src " + std::to_string(port);
            if (port == 1001) {
                closed(w, net.a, arguments);
            }
            for (const netns* ns : {&net.a, &net.b}) {
                const auto flow = in_netns(ns->inode()) && from_port(port);
                w.until("its updates", [&] { return w.count(flow) > (port == 1001 ? 4U : 0U); });
                const event last = check_destroy(w, *ns, from_port(port), arguments);
                const bool known = ns == &net.a && attach_under_test() != attach_mode::netfilter;
                for (const event& e : w.select(flow)) {
                    BOOST_TEST(e.process().has_value() == known, e);
                    BOOST_TEST((!known || e.process() == expected), e);
                }
                BOOST_TEST((last.kind() == event_kind::destroy));
            }
        }
    }
    w.stop();
    check_nothing_lost(w);
}

BOOST_FIXTURE_TEST_CASE(who_does_not_ask_is_told_nothing, world) {
    watch w(every_packet());
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    auto b = bind_udp(net.b, "192.0.2.2", 2001);
    exchange(a, b);
    const auto flow = in_netns(net.a.inode()) && from_port(1001);
    w.until("the flow", [&] { return w.count(flow) > 4; });
    for (const event& e : w.select(flow)) {
        BOOST_TEST(!e.process());
        BOOST_TEST(!e.has_details());
    }
    w.stop();
}

// Most packets go through the router while their sender runs: its softirqs do that.
BOOST_FIXTURE_TEST_CASE(a_router_does_not_blame_who_runs, routed,
                        *boost::unit_test::precondition(by_tracing)) {
    outside.run("ip route add 10.1.0.0/24 via 192.0.2.1");
    watch w(telling_processes());
    auto answering = bind<udp::socket>(outside, "192.0.2.2", 2001);
    constexpr std::uint16_t flows = 100;
    for (std::uint16_t i = 0; i < flows; ++i) {
        auto from = bind<udp::socket>(home, "10.1.0.2", static_cast<std::uint16_t>(1001 + i));
        ask(from, {make_address("192.0.2.2"), 2001}, answering);
    }
    const auto all = [&](const netns& ns) {
        return in_netns(ns.inode()) && [](const event& e) {
            return e.dst_port() == 2001;
        };
    };
    for (const netns* ns : {&home, &router, &outside}) {
        w.until("two packets of each", [&] { return w.count(all(*ns)) >= 2 * flows; });
    }
    BOOST_TEST(w.count(all(home) && by_this_process()) == w.count(all(home)));
    for (const netns* ns : {&router, &outside}) {
        for (const event& e : w.select(all(*ns))) {
            BOOST_TEST(!e.process(), e);
        }
    }
    w.stop();
}

// The kernel sends a second SYN when a timer is up, whoever runs then: who does here is busy, in
// user mode.
BOOST_FIXTURE_TEST_CASE(what_a_timer_sends_is_nobodys, world,
                        *boost::unit_test::precondition(by_tracing)) {
    watch w(telling_processes());
    auto acceptor = listen(net.b, "192.0.2.2", 2001);
    const tcp::endpoint server = acceptor.local_endpoint();
    net.a.run("nft 'table inet shut { chain output { type filter hook output priority 10; "
              "tcp dport 2001 drop; }; }'");
    std::vector<std::unique_ptr<child>> busy;
    for (int cpu = 0; cpu < 2; ++cpu) {
        busy.push_back(std::make_unique<child>([cpu] {
            cpu_set_t only;
            CPU_ZERO(&only);
            CPU_SET(cpu, &only);
            ::sched_setaffinity(0, sizeof(only), &only);
            for (std::atomic<unsigned> n = 0;; ++n) {
            }
        }));
    }
    constexpr std::uint16_t flows = 20;
    std::vector<tcp::socket> clients;
    for (std::uint16_t i = 0; i < flows; ++i) {
        clients.push_back(bind_tcp(net.a, "192.0.2.1", static_cast<std::uint16_t>(1001 + i)));
        clients.back().non_blocking(true);
        // Asio's would wait for the answer.
        BOOST_REQUIRE(::connect(clients.back().native_handle(), server.data(),
                                static_cast<socklen_t>(server.size())) != 0);
        BOOST_REQUIRE(errno == EINPROGRESS);
    }
    w.idle(300ms);
    const auto all = in_netns(net.a.inode()) && of_proto(IPPROTO_TCP);
    BOOST_TEST(w.count(all) == 0U);
    net.a.run("nft delete table inet shut");
    const auto begun = all && [](const event& e) {
        return e.packets_orig() == 1;
    };
    w.until("the second of each", [&] { return w.count(begun) >= flows; });
    for (const event& e : w.select(all)) {
        BOOST_TEST(!e.process(), e);
    }
    w.stop();
}

BOOST_FIXTURE_TEST_CASE(a_flow_without_a_packet_is_nobodys, world,
                        *boost::unit_test::precondition(by_tracing)) {
    watch w(telling_processes());
    net.a.run("conntrack -I -p udp -t 60 -s 192.0.2.1 -d 192.0.2.2 --sport 1001 --dport 2001");
    const auto flow = in_netns(net.a.inode()) && from_port(1001);
    w.until("the flow", [&] { return w.count(flow) > 0; });
    net.a.run("conntrack -D -p udp --orig-port-src 1001");
    BOOST_TEST(!only_destroy(w, flow).process());
    BOOST_TEST(!w.select(flow).front().process());
    w.stop();
}

// A tunnel's daemon writes what others have sent, and the kernel takes it in while the daemon runs.
BOOST_FIXTURE_TEST_CASE(what_comes_out_of_a_tunnel_is_not_its_daemons, world,
                        *boost::unit_test::precondition(by_tracing)) {
    shell("modprobe tun; mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200");
    watch w(telling_processes());
    const int tun = [&] {
        const netns::inside in(net.a);
        const int fd = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
        ifreq request{};
        request.ifr_flags = IFF_TUN | IFF_NO_PI;
        std::strcpy(request.ifr_name, "tun0");
        if (fd < 0 || ::ioctl(fd, TUNSETIFF, &request) != 0) {
            fail("tun0");
        }
        return fd;
    }();
    net.a.run("ip addr add 198.51.100.1/24 dev tun0");
    net.a.run("ip link set tun0 up");
    auto receiver = bind_udp(net.a, "198.51.100.1", 2001);
    struct {
        iphdr ip;
        udphdr udp;
    } packet{};
    packet.ip.version = 4;
    packet.ip.ihl = 5;
    packet.ip.ttl = 64;
    packet.ip.protocol = IPPROTO_UDP;
    packet.ip.tot_len = htons(sizeof(packet));
    packet.ip.saddr = htonl(0xc6336402); // 198.51.100.2
    packet.ip.daddr = htonl(0xc6336401);
    packet.udp.source = htons(1001);
    packet.udp.dest = htons(2001);
    packet.udp.len = htons(sizeof(packet.udp));
    std::uint32_t sum = 0;
    std::array<std::uint16_t, sizeof(iphdr) / 2> words{};
    std::memcpy(words.data(), &packet.ip, sizeof(packet.ip));
    for (const auto word : words) {
        sum += word;
    }
    packet.ip.check = static_cast<std::uint16_t>(~(sum % 0xffff));
    BOOST_REQUIRE(::write(tun, &packet, sizeof(packet)) == sizeof(packet));
    receive(receiver);
    const auto flow = in_netns(net.a.inode()) && from_port(1001);
    w.until("the flow", [&] { return w.count(flow) > 0; });
    for (const event& e : w.select(flow)) {
        BOOST_TEST(!e.process(), e);
    }
    w.stop();
    ::close(tun);
}

// What conntrack makes for packets that never leave, at addresses that others have next.
BOOST_FIXTURE_TEST_CASE(who_was_refused_is_not_taken_for_the_next, world,
                        *boost::unit_test::precondition(by_tracing)) {
    net.a.run("nft 'table inet shut { chain output { type filter hook output priority 10; "
              "udp dport 2001 drop; }; }'");
    watch w(telling_processes());
    auto a = bind_udp(net.a, "192.0.2.1", 1001);
    auto b = bind_udp(net.b, "192.0.2.2", 2001);
    for (int i = 0; i < 100; ++i) {
        boost::system::error_code refused;
        a.send_to(asio::buffer("text", 4), b.local_endpoint(), 0, refused);
        send(b, a, 50); // Incoming, by softirqs.
        receive(a);
        net.a.run("conntrack -D -p udp --orig-port-src 2001");
    }
    const auto incoming = in_netns(net.a.inode()) && from_port(2001);
    w.until("all ends", [&] { return w.count(incoming && of_kind(event_kind::destroy)) >= 100; });
    for (const event& e : w.select(incoming)) {
        BOOST_TEST(!e.process(), e);
    }
    BOOST_TEST(w.count(in_netns(net.a.inode()) && from_port(1001)) == 0U);
    w.stop();
}

BOOST_AUTO_TEST_SUITE_END()
