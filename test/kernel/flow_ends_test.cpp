// SPDX-License-Identifier: Apache-2.0
//
// The ends of flows, from the running kernel's ctnetlink, of flows that conntrack(8) makes. The
// records that a BPF program would have sent are written here.
#include "ctnetlink/end_source.hpp"
#include "ctnetlink/flow_book.hpp"
#include "support/netns.hpp"

#include <ctflow/clock.hpp>
#include <ctflow/error.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ctflow;
using namespace ctflow::ctnetlink;
using namespace ctflow::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t usual_buffer = std::size_t{4} << 20;

std::uint64_t boot_now() {
    return static_cast<std::uint64_t>(boot_clock::now().time_since_epoch().count());
}

std::uint64_t wall_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
}

ctflow_record make_record(int family, const char* src, const char* dst, std::uint8_t proto,
                          std::uint16_t src_port, std::uint16_t dst_port,
                          std::uint64_t conntrack = 0xa000) {
    ctflow_record r{};
    BOOST_REQUIRE(::inet_pton(family, src, r.src_addr) == 1);
    BOOST_REQUIRE(::inet_pton(family, dst, r.dst_addr) == 1);
    r.src_port = src_port;
    r.dst_port = dst_port;
    r.proto = proto;
    r.family = static_cast<unsigned char>(family);
    r.kind = CTFLOW_RECORD_UPDATE;
    r.conntrack = conntrack;
    r.timestamp = boot_now();
    return r;
}

// ICMP's type and code, as they lie in the kernel's tuple.
std::uint16_t in_memory(unsigned char type, unsigned char code) {
    const unsigned char both[2] = {type, code};
    std::uint16_t value = 0;
    std::memcpy(&value, both, sizeof(value));
    return value;
}

// Takes all capabilities from the calling thread, for good.
void drop_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct nothing[2]{};
    BOOST_REQUIRE(::syscall(SYS_capset, &header, nothing) == 0);
}

struct fixture {
    explicit fixture(std::size_t buffer = usual_buffer)
        : source(book, buffer, 1h, [this](std::span<const ended> some) {
              ++spans;
              caught_up = some.back().caught_up;
              ends.insert(ends.end(), some.begin(), some.end());
          }) {
        book.clear(ns.inode());
        const netns::inside in(ns);
        error_code ec;
        diagnostics diag;
        source.open(ec, diag);
        BOOST_REQUIRE_MESSAGE(!ec, ec.message() << ": " << diag);
    }

    // Datagrams over the loopback device, to nobody.
    void send_udp(std::uint16_t from, std::uint16_t to, int count) {
        const netns::inside in(ns);
        const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        a.sin_port = ::htons(from);
        BOOST_REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof(a)) == 0);
        a.sin_port = ::htons(to);
        for (int i = 0; i < count; ++i) {
            BOOST_REQUIRE(
                ::sendto(fd, "hello", 5, 0, reinterpret_cast<const sockaddr*>(&a), sizeof(a)) == 5);
        }
        ::close(fd);
    }

    // As the reader does.
    bool turn() {
        const bool all = source.take();
        return source.tell() && all;
    }

    // Turns whenever there is something to read, until it is true and for a moment after.
    void until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        bool was = false;
        for (;;) {
            pollfd p{source.fd(), POLLIN, 0};
            const int n = ::poll(&p, 1, was ? 50 : 200);
            BOOST_REQUIRE(n >= 0);
            while (n > 0 && !turn()) {
            }
            if (n == 0 && was) {
                return;
            }
            was = was || done();
            BOOST_REQUIRE(std::chrono::steady_clock::now() < deadline);
        }
    }

    void until_ends(std::size_t count) {
        until([&] { return ends.size() >= count; });
        BOOST_REQUIRE_EQUAL(ends.size(), count);
    }

    netns ns{"ctflow-ends"};
    flow_book book;
    std::vector<ended> ends;
    int spans = 0;
    std::uint64_t caught_up = 0; // Said of the last of them.
    end_source source;
};

struct tiny_fixture : fixture {
    tiny_fixture() : fixture(4096) {}

    // So many UDP flows in the table and in the book. The VM's table has room for some thousands.
    void make_flows(unsigned from, unsigned count) {
        std::ostringstream commands;
        for (unsigned i = from; i < from + count; ++i) {
            commands << "-I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport " << 1 + i
                     << " --dport 9 --timeout 600\n";
            auto r = make_record(AF_INET, "192.0.2.1", "192.0.2.2", IPPROTO_UDP,
                                 ::htons(static_cast<std::uint16_t>(1 + i)), ::htons(9), 1 + i);
            book.on_update(r, nullptr, {0, false});
        }
        // A file that nobody else has a name for: this runs as root, on hosts with other users.
        const auto text = commands.str();
        const int file = ::memfd_create("conntrack", MFD_CLOEXEC);
        const bool written =
            file >= 0 && ::write(file, text.data(), text.size()) == std::ssize(text);
        BOOST_REQUIRE(written);
        ns.run("conntrack -R /proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file));
        ::close(file);
    }

    // Whether each of the flows that make_flows() made has had one end.
    void check_each_once(std::size_t count) const {
        std::map<std::uint64_t, int> seen;
        for (const auto& e : ends) {
            BOOST_TEST(e.told);
            BOOST_TEST(+e.record.kind == CTFLOW_RECORD_DESTROY);
            ++seen[e.conntrack];
        }
        BOOST_TEST(seen.size() == count);
        BOOST_TEST(ends.size() == count);
        BOOST_TEST(seen.count(0) == 0U);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(flow_ends)

BOOST_FIXTURE_TEST_CASE(ends_are_told_with_a_time_that_none_is_older_than, fixture) {
    const auto end_one = [&] {
        send_udp(1001, 1002, 1);
        ns.run("conntrack -D -p udp");
    };
    end_one();
    until_ends(1);
    BOOST_TEST(caught_up == 0U); // The socket had never been found empty.
    const auto full = boot_now();
    BOOST_TEST(turn());
    const auto empty = boot_now();
    end_one();
    const auto ended_before = boot_now();
    (void)source.take(); // Taken in two steps, told in one.
    end_one();
    turn();
    BOOST_TEST(ends.size() == 3U);
    BOOST_TEST(caught_up <= empty);
    BOOST_TEST(caught_up >= full);
    end_one();
    turn();
    BOOST_TEST(ends.size() == 4U);
    BOOST_TEST(caught_up >= ended_before);
}

BOOST_FIXTURE_TEST_CASE(a_deleted_flow_ends_with_its_counters, fixture) {
    send_udp(1001, 1002, 3);
    const auto counted = list_flow(ns, "-p udp");
    BOOST_REQUIRE(counted.packets_orig == 3U);
    auto r =
        make_record(AF_INET, "127.0.0.1", "127.0.0.1", IPPROTO_UDP, ::htons(1001), ::htons(1002));
    book.on_update(r, nullptr, {0, true, true, false, r.timestamp});

    ns.run("conntrack -D -p udp");
    until_ends(1);
    const auto& e = ends[0];
    BOOST_TEST(e.conntrack == r.conntrack);
    BOOST_TEST(e.origin == r.timestamp);
    BOOST_TEST(e.told);
    BOOST_TEST(e.record.packets_orig == counted.packets_orig);
    BOOST_TEST(e.record.bytes_orig == counted.bytes_orig);
    BOOST_TEST(e.record.packets_ret == counted.packets_ret);
    BOOST_TEST(e.record.bytes_ret == counted.bytes_ret);
    BOOST_TEST(e.record.netns == ns.inode());
    BOOST_TEST(book.size() == 0U);
    BOOST_TEST(source.stats().overruns == 0U);
}

// One of a tuple that another had before, of which no record told.
struct reused_fixture : fixture {
    void follower() {
        auto r = make_record(AF_INET, "127.0.0.1", "127.0.0.1", IPPROTO_UDP, ::htons(1001),
                             ::htons(1002));
        r.start = wall_now();
        book.on_update(r, nullptr, {0, true, true, true, r.timestamp});
        send_udp(1001, 1002, 2);
    }

    void check(const ended& e, bool its, std::uint64_t packets) const {
        BOOST_TEST((e.conntrack != 0) == its);
        BOOST_TEST(e.told);
        BOOST_TEST(!e.reconstructed);
        BOOST_TEST(e.record.packets_orig == packets);
    }
};

BOOST_FIXTURE_TEST_CASE(the_table_tells_that_an_end_was_the_formers, reused_fixture) {
    send_udp(1001, 1002, 3);
    ns.run("conntrack -D -p udp");
    follower();
    until_ends(1);
    check(ends[0], false, 3);
    BOOST_TEST(book.size() == 1U);
    BOOST_TEST(source.stats().resyncs > 0U);
    ns.run("conntrack -D -p udp");
    until_ends(2);
    check(ends[1], true, 2);
    BOOST_TEST(book.size() == 0U);
}

BOOST_FIXTURE_TEST_CASE(and_that_there_was_none, reused_fixture) {
    follower();
    ns.run("conntrack -D -p udp");
    until_ends(1);
    check(ends[0], true, 2);
    BOOST_TEST(source.stats().resyncs > 0U);
    BOOST_TEST(book.size() == 0U);
}

BOOST_FIXTURE_TEST_CASE(both_ends_are_told_apart, reused_fixture) {
    send_udp(1001, 1002, 3);
    ns.run("conntrack -D -p udp");
    follower();
    ns.run("conntrack -D -p udp");
    until_ends(2);
    check(ends[0], false, 3);
    check(ends[1], true, 2);
    BOOST_TEST(book.size() == 0U);
}

BOOST_FIXTURE_TEST_CASE(icmp, fixture) {
    ns.run("conntrack -I -p icmp -s 192.0.2.1 -d 192.0.2.2 --icmp-type 8 --icmp-code 0 "
           "--icmp-id 4660 --timeout 600");
    auto r = make_record(AF_INET, "192.0.2.1", "192.0.2.2", IPPROTO_ICMP, ::htons(4660),
                         in_memory(8, 0));
    book.on_update(r, nullptr, {0, false});
    ns.run("conntrack -D -p icmp");
    until_ends(1);
    BOOST_TEST(ends[0].conntrack == r.conntrack);
}

BOOST_FIXTURE_TEST_CASE(icmpv6, fixture) {
    ns.run("conntrack -I -p icmpv6 -s 2001:db8::1 -d 2001:db8::2 --icmpv6-type 128 "
           "--icmpv6-code 0 --icmpv6-id 4660 --timeout 600");
    auto r = make_record(AF_INET6, "2001:db8::1", "2001:db8::2", IPPROTO_ICMPV6, ::htons(4660),
                         in_memory(128, 0));
    book.on_update(r, nullptr, {0, false});
    ns.run("conntrack -D -f ipv6 -p icmpv6");
    until_ends(1);
    BOOST_TEST(ends[0].conntrack == r.conntrack);
}

BOOST_FIXTURE_TEST_CASE(tcp_with_mark_zone_and_state, fixture) {
    ns.run("conntrack -I -p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1001 --dport 80 --timeout 600 "
           "--state ESTABLISHED --mark 77 --zone 5");
    auto other = make_record(AF_INET, "192.0.2.1", "192.0.2.2", IPPROTO_TCP, ::htons(1001),
                             ::htons(80), 0xb000);
    book.on_update(other, nullptr, {4, false});
    auto r =
        make_record(AF_INET, "192.0.2.1", "192.0.2.2", IPPROTO_TCP, ::htons(1001), ::htons(80));
    book.on_update(r, nullptr, {5, false});

    ns.run("conntrack -D -p tcp");
    until_ends(1);
    BOOST_TEST(ends[0].conntrack == r.conntrack);
    BOOST_TEST(ends[0].record.connmark == 77U);
    BOOST_TEST(+ends[0].record.tcp_state == 3); // ESTABLISHED
    BOOST_TEST(book.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(ipv6_and_a_zone_of_one_direction, fixture) {
    ns.run("conntrack -I -p udp -s 2001:db8::1 -d 2001:db8::2 --sport 1001 --dport 53 "
           "--timeout 600 --orig-zone 9");
    auto r = make_record(AF_INET6, "2001:db8::1", "2001:db8::2", IPPROTO_UDP, ::htons(1001),
                         ::htons(53));
    book.on_update(r, nullptr, {9, false});
    ns.run("conntrack -D -f ipv6 -p udp");
    until_ends(1);
    BOOST_TEST(ends[0].conntrack == r.conntrack);
}

BOOST_FIXTURE_TEST_CASE(the_kernels_start_tells_flows_of_one_tuple_apart, fixture) {
    const std::string make = "conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 1001 "
                             "--dport 53 --timeout 600";
    std::vector<std::uint64_t> told;
    for (std::uint64_t i = 0; i < 3; ++i) {
        auto r = make_record(AF_INET, "192.0.2.1", "192.0.2.2", IPPROTO_UDP, ::htons(1001),
                             ::htons(53), 0xa000 + i);
        r.start = wall_now();
        told.push_back(r.start);
        book.on_update(r, nullptr, {0, true, true, false, r.timestamp});
        ns.run(make);
        // It lives for longer than its first packet was under way.
        std::this_thread::sleep_for(std::chrono::nanoseconds(wall_now() - r.start) + 10ms);
        ns.run("conntrack -D -p udp");
    }
    until_ends(3);
    for (std::uint64_t i = 0; i < 3; ++i) {
        BOOST_TEST(ends[i].conntrack == 0xa000 + i);
        BOOST_TEST(ends[i].record.start == told[i]);
        BOOST_TEST(!ends[i].reconstructed);
    }
}

BOOST_FIXTURE_TEST_CASE(flows_that_began_unaccounted_are_counted, fixture) {
    ns.sysctl("netfilter/nf_conntrack_acct", "0");
    ns.run("conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 1001 --dport 53 --timeout 600");
    ns.run("conntrack -D -p udp");
    until_ends(1);
    BOOST_TEST(!ends[0].told);
    BOOST_TEST(source.stats().unaccounted == 1U);
}

BOOST_FIXTURE_TEST_CASE(an_overrun_loses_no_end, tiny_fixture) {
    constexpr unsigned many = 5000;
    make_flows(0, many);
    BOOST_TEST(book.size() == many);
    ns.run("conntrack -F");
    make_flows(many, 500); // Alive.
    until([&] { return source.stats().resyncs > 0; });

    BOOST_TEST(book.size() == 500U);
    check_each_once(many);
    const auto s = source.stats();
    BOOST_TEST(s.overruns > 0U);
    BOOST_TEST(s.messages_lost > many / 2);
    BOOST_TEST(s.messages_lost == s.reconstructed);
    BOOST_TEST(s.resyncs_failed == 0U);
    BOOST_TEST_MESSAGE(s.overruns << " overruns, " << s.messages_lost << " lost, " << s.resyncs
                                  << " resyncs, " << spans << " spans");

    ends.clear();
    ns.run("conntrack -F");
    until([&] { return book.size() == 0; });
    check_each_once(500);
}

BOOST_FIXTURE_TEST_CASE(overruns_while_the_table_is_listed, tiny_fixture) {
    constexpr unsigned many = 5000;
    make_flows(0, many);
    std::thread flush([&] {
        ns.run("conntrack -D -p udp --sport 7");
        ns.run("conntrack -F");
    });
    source.request_resync();
    while (!turn()) {
    }
    flush.join();
    until([&] { return book.size() == 0; });
    check_each_once(many);
    const auto s = source.stats();
    BOOST_TEST(s.resyncs_failed == 0U);
    BOOST_TEST_MESSAGE(s.overruns << " overruns, " << s.messages_lost << " lost, " << s.resyncs
                                  << " resyncs");
}

BOOST_FIXTURE_TEST_CASE(a_resync_can_be_asked_for, fixture) {
    auto r = make_record(AF_INET, "192.0.2.1", "192.0.2.2", IPPROTO_UDP, ::htons(1), ::htons(2));
    book.on_update(r, nullptr, {0, false});
    source.request_resync();
    BOOST_TEST(!turn());
    while (!turn()) {
    }
    BOOST_TEST(book.size() == 0U);
    BOOST_TEST(source.stats().resyncs == 1U);
    BOOST_REQUIRE_EQUAL(ends.size(), 1U);
    BOOST_TEST(ends[0].reconstructed);
}

BOOST_FIXTURE_TEST_CASE(a_flow_that_never_was_ends_after_two_ticks, fixture) {
    ns.run("conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 1 --dport 2 --timeout 600");
    auto there =
        make_record(AF_INET, "192.0.2.1", "192.0.2.2", IPPROTO_UDP, ::htons(1), ::htons(2));
    auto never =
        make_record(AF_INET, "192.0.2.1", "192.0.2.2", IPPROTO_UDP, ::htons(3), ::htons(4), 0xb000);
    for (auto* r : {&there, &never}) {
        r->timestamp -= 2 * ctnetlink::flow_book::confirmation_time;
        book.on_update(*r, nullptr, {0, true});
    }
    source.tick();
    BOOST_TEST(turn());
    BOOST_TEST(source.stats().resyncs == 0U);
    source.tick();
    while (!turn()) {
    }
    BOOST_TEST(source.stats().resyncs == 1U);
    BOOST_REQUIRE_EQUAL(ends.size(), 1U);
    BOOST_TEST(ends[0].conntrack == never.conntrack);
    BOOST_TEST(ends[0].reconstructed);
    BOOST_TEST(book.size() == 1U);
    source.tick();
    BOOST_TEST(turn()); // There is no doubt left.
    BOOST_TEST(source.stats().resyncs == 1U);
}

BOOST_FIXTURE_TEST_CASE(what_the_process_may_not_is_said, fixture) {
    const netns::inside in(ns);
    error_code ec;
    diagnostics diag;
    std::thread([&] { // Its capabilities are its own.
        drop_capabilities();
        source.open(ec, diag);
    })
        .join();
    BOOST_TEST((ec == errc::missing_capabilities));
    BOOST_TEST(diag.find("CAP_NET_ADMIN") != std::string::npos);
    BOOST_TEST(source.fd() == -1);
}

BOOST_AUTO_TEST_SUITE_END()
