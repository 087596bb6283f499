// SPDX-License-Identifier: Apache-2.0
//
// Many flows: nothing is lost, and the sums are right to the byte. All are in one namespace and go
// through its lo, one nf_conn each.
#include "support/netns.hpp"
#include "vm/watch.hpp"
#include "vm/world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/datagram_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace asio = boost::asio;
using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;
using asio::ip::address;
using asio::ip::make_address;
using asio::ip::tcp;
using asio::ip::udp;

namespace {

struct totals {
    std::size_t flows = 0;
    std::uint64_t packets_orig = 0;
    std::uint64_t bytes_orig = 0;
    std::uint64_t packets_ret = 0;
    std::uint64_t bytes_ret = 0;

    friend bool operator==(const totals&, const totals&) = default;
    friend std::ostream& operator<<(std::ostream& os, const totals& t) {
        return os << t.flows << " flows, " << t.packets_orig << " packets and " << t.bytes_orig
                  << " bytes there, " << t.packets_ret << " and " << t.bytes_ret << " back";
    }
};

totals sum_of(const std::vector<event>& events) {
    totals t;
    for (const event& e : events) {
        ++t.flows;
        t.packets_orig += e.packets_orig();
        t.bytes_orig += e.bytes_orig();
        t.packets_ret += e.packets_ret();
        t.bytes_ret += e.bytes_ret();
    }
    return t;
}

// conntrack(8), which writes down each flow's end in a namespace as the kernel tells it.
class conntrack_log {
public:
    explicit conntrack_log(const netns& ns) : ns_(ns) {
        ns.sysctl("netfilter/nf_conntrack_events", "1");
        // Its socket's buffer; conntrack 1.4.7's own option for it sets another socket's.
        const scoped_sysctl buffer("core/rmem_default", "67108864");
        pid_ = ns.run("sh -c 'conntrack -E -e DESTROY -o extended >" + file_ + " 2>" + file_ +
                      ".err & echo $!'");
        while (!listens()) {
            shell("sleep 0.1");
        }
    }
    ~conntrack_log() {
        try {
            shell("kill " + pid_);
        } catch (const std::exception& e) {
            std::fprintf(stderr, "%s\n", e.what());
        }
    }
    conntrack_log(const conntrack_log&) = delete;
    conntrack_log& operator=(const conntrack_log&) = delete;

    totals sum() const {
        totals t;
        std::ifstream lines(file_);
        for (std::string line; std::getline(lines, line) && !lines.eof();) {
            std::size_t at = 0;
            const auto next = [&](const std::string& key) {
                at = line.find(key, at);
                BOOST_REQUIRE(at != std::string::npos);
                at += key.size();
                return std::stoull(line.substr(at));
            };
            ++t.flows;
            t.packets_orig += next("packets=");
            t.bytes_orig += next("bytes=");
            t.packets_ret += next("packets=");
            t.bytes_ret += next("bytes=");
        }
        return t;
    }

    // What it says when it was not told everything.
    std::string complaints() const {
        std::ifstream file(file_ + ".err");
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    // A socket of NETLINK_NETFILTER (12) in the group of destroy events (the third).
    bool listens() const {
        return ns_.run("awk '$2 == 12 && $4 == \"00000004\"' /proc/net/netlink").find('\n') !=
               std::string::npos;
    }

    const netns& ns_;
    const std::string file_ = "/tmp/ctflow-conntrack";
    std::string pid_;
};

// Short flows of all kinds within a namespace.
struct mixed_traffic {
    explicit mixed_traffic(const netns& ns) : inside(ns) {
        ns.sysctl("ipv4/ping_group_range", "0 0");
    }

    netns::inside inside;
    asio::io_context sockets; // Never run.
    std::array<address, 2> hosts = {make_address("127.0.0.1"), make_address("::1")};
    std::array<udp::socket, 2> udp_peers = {udp::socket(sockets, udp::endpoint(hosts[0], 2001)),
                                            udp::socket(sockets, udp::endpoint(hosts[1], 2001))};
    std::array<tcp::acceptor, 2> tcp_peers = {
        tcp::acceptor(sockets, tcp::endpoint(hosts[0], 2002)),
        tcp::acceptor(sockets, tcp::endpoint(hosts[1], 2002))};
    std::array<char, 2048> data{};

    void flow(std::size_t i) {
        const std::size_t host = i % 2;
        const std::size_t size = 1 + i % 1000;
        const auto number = static_cast<std::uint16_t>(10000 + i);
        switch (i / 2 % 3) {
        case 0:
            udp_flow(host, number, size);
            break;
        case 1:
            tcp_flow(host, number, size);
            break;
        default:
            ping(host, number, size);
            break;
        }
    }

    void udp_flow(std::size_t host, std::uint16_t port, std::size_t size) {
        udp::socket socket(sockets, udp::endpoint(hosts[host], port));
        udp::endpoint from;
        for (std::size_t i = 0; i <= size % 3; ++i) {
            socket.send_to(asio::buffer(data, size), udp_peers[host].local_endpoint());
            udp_peers[host].receive_from(asio::buffer(data), from);
        }
        if (size % 2 == 0) {
            udp_peers[host].send_to(asio::buffer(data, size / 2), from);
            socket.receive_from(asio::buffer(data), from);
        }
    }

    void tcp_flow(std::size_t host, std::uint16_t port, std::size_t size) {
        tcp::socket socket(sockets, tcp::endpoint(hosts[host], port));
        socket.connect(tcp_peers[host].local_endpoint());
        auto peer = tcp_peers[host].accept();
        asio::write(socket, asio::buffer(data, size));
        asio::read(peer, asio::buffer(data, size));
        asio::write(peer, asio::buffer(data, size / 2));
        asio::read(socket, asio::buffer(data, size / 2));
    }

    // An echo request, which the kernel answers. The "port" of such a socket is the echo id.
    void ping(std::size_t host, std::uint16_t id, std::size_t size) {
        using datagram = asio::generic::datagram_protocol;
        const bool v6 = hosts[host].is_v6();
        const auto endpoint = [&](std::uint16_t port) {
            const udp::endpoint e(hosts[host], port);
            return datagram::endpoint(e.data(), e.size(),
                                      v6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP});
        };
        datagram::socket socket(sockets, endpoint(id));
        std::vector<unsigned char> request(8 + size);
        request[0] = v6 ? 128 : 8;
        socket.send_to(asio::buffer(request), endpoint(0));
        socket.receive(asio::buffer(data));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(load)

// Compared are number of flows, packets and bytes each way: over all destroy events of the
// namespace, and over all lines that conntrack(8) printed for the DESTROY messages of ctnetlink,
// in which the kernel reports each flow's final counters by itself.
BOOST_AUTO_TEST_CASE(sums_of_ten_thousand_mixed_flows_equal_those_of_conntrack) {
    constexpr std::size_t flows = 10'000;
    const scoped_sysctl room("netfilter/nf_conntrack_max", "65536");
    const netns ns("ctflow-load");
    config c = config_under_test();
    c.buffer_pages = 1024; // For the ends of all flows at once.
    watch w(c, 4 * flows);
    const conntrack_log log(ns);
    {
        mixed_traffic traffic(ns);
        for (std::size_t i = 0; i < flows; ++i) {
            traffic.flow(i);
            w.poll();
        }
    }
    closed(w, ns, "-p tcp");
    ns.run("conntrack -F");
    const auto here = in_netns(ns.inode());
    const auto destroyed = here && of_kind(event_kind::destroy);
    w.until("all ends", [&] { return w.count(destroyed) >= flows; });
    w.until("conntrack to have them", [&] { return log.sum().flows >= flows; });
    w.idle(200ms);

    const auto ours = sum_of(w.select(destroyed));
    const auto theirs = log.sum();
    BOOST_TEST_MESSAGE("ctflow: " << ours);
    BOOST_TEST_MESSAGE("conntrack: " << theirs);
    BOOST_TEST(ours == theirs);
    BOOST_TEST(ours.flows == flows);
    BOOST_TEST(log.complaints() == "");
    w.stop();
    check_nothing_lost(w);
    BOOST_TEST(w.stats().program_misses == 0U);
}

// One packet of each to another address of 127/8 than the others, and then another.
BOOST_AUTO_TEST_CASE(two_hundred_thousand_flows_against_a_smaller_table) {
    constexpr std::uint32_t flows = 200'000;
    constexpr std::uint32_t first_address = 0x7f010000;
    const scoped_sysctl max("netfilter/nf_conntrack_max", "300000");
    const scoped_sysctl buckets("netfilter/nf_conntrack_buckets", "65536");
    const netns ns("ctflow-load");
    ns.sysctl("netfilter/nf_conntrack_udp_timeout", "3600");
    config c = config_under_test();
    c.buffer_pages = 8192; // For the ends of all flows at once.
    c.curve0 = {0s, 1h};   // No cooldown ends before the test does.
    c.curve1 = {1h, 1h};
    c.curve2 = {2h, 1h};
    watch w(c, std::size_t{2} * flows);
    BOOST_TEST(c.max_flows < flows);
    {
        asio::io_context sockets; // Never run.
        const netns::inside in(ns);
        udp::socket sender(sockets, udp::endpoint(make_address("127.0.0.1"), 1001));
        udp::socket receiver(sockets, udp::endpoint(udp::v4(), 2001)); // Reads nothing.
        for (const std::size_t size : {100U, 200U}) {
            const std::string data(size, 'x');
            for (std::uint32_t i = 0; i < flows; ++i) {
                sender.send_to(asio::buffer(data),
                               udp::endpoint(asio::ip::address_v4(first_address + i), 2001));
                if (i % 256 == 0) {
                    w.poll();
                }
            }
        }
    }
    const auto before_end = w.stats();
    BOOST_TEST(std::stoull(ns.run("conntrack -C")) == flows);
    ns.run("conntrack -F");
    w.until("all ends", [&] { return w.stats().perf_events_destroy >= flows; });
    w.idle(200ms);
    w.stop();
    check_nothing_lost(w);

    // By flow, what there was of it.
    std::vector<int> first(flows);
    std::vector<int> last(flows);
    std::size_t others = 0;
    for (const event& e : w.events) {
        const auto i = e.dst_addr().to_v4().to_uint() - first_address;
        if (e.netns() != ns.inode() || i >= flows) {
            ++others;
        } else if (e.kind() == event_kind::update) {
            first[i] += e.packets_orig() == 1 && e.bytes_orig() == 128 ? 1 : 1000;
        } else {
            last[i] += e.packets_orig() == 2 && e.bytes_orig() == 128 + 228 ? 1 : 1000;
        }
    }
    BOOST_TEST(others == 0U);
    BOOST_TEST(std::ranges::count(first, 1) == flows);
    BOOST_TEST(std::ranges::count(last, 1) == flows);
    BOOST_TEST(w.events.size() == std::size_t{2} * flows); // No update for any second packet.

    BOOST_TEST_MESSAGE(before_end.flows_untracked << " flows and " << before_end.packets_untracked
                                                  << " packets untracked");
    BOOST_TEST(before_end.flows_untracked >= flows - c.max_flows);
    BOOST_TEST(before_end.packets_untracked == before_end.flows_untracked);
}

BOOST_AUTO_TEST_SUITE_END()
