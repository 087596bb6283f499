// SPDX-License-Identifier: Apache-2.0
#include <ctflow/event.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using ctflow::boot_clock;
using ctflow::event_kind;
using ctflow::tcp_state;

// A record put together byte by byte, by offset, as the kernel side lays it out: the names of the
// fields and what surrounds them are what is under test.
class wire {
public:
    template <class T>
    wire& put(std::size_t offset, T value) {
        std::memcpy(&bytes_.at(offset), &value, sizeof(value));
        return *this;
    }

    ctflow::event decode() const { return ctflow::event(std::bit_cast<ctflow_record>(bytes_)); }

private:
    std::array<unsigned char, 104> bytes_{};
};

using address_bytes = std::array<unsigned char, 16>;

constexpr address_bytes v4_from = {192, 0, 2, 1};
constexpr address_bytes v4_to = {198, 51, 100, 53};
constexpr address_bytes v6_from = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr address_bytes v6_to = {0x20, 0x01, 0x0d, 0xb8}; // 2001:db8::

wire flow(int family, int protocol) {
    const bool v4 = family == AF_INET;
    return wire()
        .put(16, std::uint64_t{0xffff888012345600})
        .put(24, v4 ? v4_from : v6_from)
        .put(40, v4 ? v4_to : v6_to)
        .put(56, std::uint64_t{3})
        .put(64, std::uint64_t{384})
        .put(72, std::uint64_t{2})
        .put(80, std::uint64_t{456})
        .put(92, std::uint32_t{4026531840})
        .put(96, htons(40001))
        .put(98, htons(53))
        .put(100, static_cast<std::uint8_t>(protocol))
        .put(101, static_cast<std::uint8_t>(family))
        .put(102, std::uint8_t{1});
}

std::string with_id(const std::string& text, const ctflow::event& e) {
    return text + " id " + std::to_string(e.flow_id());
}

} // namespace

BOOST_AUTO_TEST_SUITE(event)

BOOST_AUTO_TEST_CASE(a_record_is_104_bytes_and_an_event_112) {
    BOOST_TEST(ctflow::event_length == 104U);
    BOOST_TEST(sizeof(ctflow_record) == 104U);
    BOOST_TEST(sizeof(ctflow::event) == 112U);
    static_assert(std::is_nothrow_default_constructible_v<ctflow::event>);
    static_assert(std::is_nothrow_copy_constructible_v<ctflow::event>);
    static_assert(std::is_nothrow_copy_assignable_v<ctflow::event>);
    static_assert(std::is_nothrow_move_constructible_v<ctflow::event>);
}

BOOST_AUTO_TEST_CASE(each_field_is_read_from_its_place) {
    const auto e = wire()
                       .put(0, std::uint64_t{1'700'000'000'123'456'789})
                       .put(8, std::uint64_t{42'000'000'001})
                       .put(16, std::uint64_t{0xffff888012345600})
                       .put(24, v4_from)
                       .put(40, v4_to)
                       .put(56, std::uint64_t{0x1112131415161718})
                       .put(64, std::uint64_t{0x2122232425262728})
                       .put(72, std::uint64_t{0x3132333435363738})
                       .put(80, std::uint64_t{0x4142434445464748})
                       .put(88, std::uint32_t{0x51525354})
                       .put(92, std::uint32_t{0x61626364})
                       .put(96, std::array<unsigned char, 2>{0x9c, 0x41}) // Network order.
                       .put(98, std::array<unsigned char, 2>{0x01, 0xbb})
                       .put(100, std::uint8_t{6})
                       .put(101, std::uint8_t{2})
                       .put(102, std::uint8_t{2})
                       .put(103, std::uint8_t{3})
                       .decode();

    BOOST_TEST(e.start().time_since_epoch().count() == 1'700'000'000'123'456'789);
    BOOST_TEST(e.timestamp().time_since_epoch().count() == 42'000'000'001);
    BOOST_TEST(e.conntrack() == 0xffff888012345600U);
    BOOST_TEST(e.src_addr() == make_address("192.0.2.1"));
    BOOST_TEST(e.dst_addr() == make_address("198.51.100.53"));
    BOOST_TEST(e.packets_orig() == 0x1112131415161718U);
    BOOST_TEST(e.bytes_orig() == 0x2122232425262728U);
    BOOST_TEST(e.packets_ret() == 0x3132333435363738U);
    BOOST_TEST(e.bytes_ret() == 0x4142434445464748U);
    BOOST_TEST(e.connmark() == 0x51525354U);
    BOOST_TEST(e.netns() == 0x61626364U);
    BOOST_TEST(e.src_port() == 40001U);
    BOOST_TEST(e.dst_port() == 443U);
    BOOST_TEST(e.proto() == 6U);
    BOOST_TEST((e.kind() == event_kind::destroy));
    BOOST_TEST((e.tcp_state() == tcp_state::established));
}

BOOST_AUTO_TEST_CASE(the_record_comes_back_as_it_was) {
    wire w;
    for (std::size_t i = 0; i < 104; ++i) {
        w.put(i, static_cast<unsigned char>(i * 5 + 1));
    }
    const auto e = w.decode();
    for (std::size_t i = 0; i < 104; ++i) {
        unsigned char byte = 0;
        std::memcpy(&byte, reinterpret_cast<const unsigned char*>(&e.record()) + i, 1);
        BOOST_TEST(byte == static_cast<unsigned char>(i * 5 + 1));
    }
}

BOOST_AUTO_TEST_CASE(an_ipv4_address_is_the_first_four_bytes_whatever_follows) {
    address_bytes bytes;
    bytes.fill(0xff);
    std::copy_n(v4_from.begin(), 4, bytes.begin());
    const auto e = flow(AF_INET, IPPROTO_UDP).put(24, bytes).decode();
    BOOST_TEST(e.src_addr().is_v4());
    BOOST_TEST(e.src_addr() == make_address("192.0.2.1"));
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_is_all_sixteen_bytes) {
    const auto e = flow(AF_INET6, IPPROTO_UDP).decode();
    BOOST_TEST(e.src_addr().is_v6());
    BOOST_TEST(e.src_addr() == make_address("2001:db8::1"));
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_stays_one_though_it_looks_like_an_ipv4) {
    // Twelve zeros after four bytes: conntracct took this for an IPv4 address.
    const auto e = flow(AF_INET6, IPPROTO_UDP).decode();
    BOOST_TEST(e.dst_addr().is_v6());
    BOOST_TEST(e.dst_addr().to_string() == "2001:db8::");

    const address_bytes mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
    const auto m = flow(AF_INET6, IPPROTO_UDP).put(24, mapped).put(40, address_bytes{}).decode();
    BOOST_TEST(m.src_addr().is_v6());
    BOOST_TEST(m.src_addr() == make_address("::ffff:192.0.2.1"));
    BOOST_TEST(m.dst_addr().is_v6());
    BOOST_TEST(m.dst_addr() == make_address("::"));
}

BOOST_AUTO_TEST_CASE(ports_are_those_of_the_five_protocols_that_have_them) {
    const std::set<int> with_ports = {6, 17, 33, 132, 136}; // TCP, UDP, DCCP, SCTP, UDP-Lite
    for (int protocol = 0; protocol < 256; ++protocol) {
        BOOST_TEST_CONTEXT("protocol " << protocol) {
            const auto e = flow(AF_INET, protocol).decode();
            const bool has = with_ports.contains(protocol);
            BOOST_TEST(e.has_ports() == has);
            BOOST_TEST(e.src_port() == (has ? 40001U : 0U));
            BOOST_TEST(e.dst_port() == (has ? 53U : 0U));
            BOOST_TEST(e.proto() == protocol);
        }
    }
}

BOOST_AUTO_TEST_CASE(kinds_have_their_names) {
    BOOST_TEST(to_string(event_kind::update) == std::string("update"));
    BOOST_TEST(to_string(event_kind::destroy) == std::string("destroy"));
    BOOST_TEST(to_string(static_cast<event_kind>(77)) == std::string("unknown"));
}

BOOST_AUTO_TEST_CASE(tcp_states_have_conntracks_numbers_and_names) {
    // enum tcp_conntrack, linux/netfilter/nf_conntrack_tcp.h
    const std::array<std::string, 10> names = {"NONE",     "SYN_SENT",   "SYN_RECV", "ESTABLISHED",
                                               "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
                                               "CLOSE",    "SYN_SENT2"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto e = flow(AF_INET, IPPROTO_TCP).put(103, static_cast<std::uint8_t>(i)).decode();
        BOOST_TEST(to_string(e.tcp_state()) == names[i]);
    }
    BOOST_TEST(to_string(tcp_state::established) == std::string("ESTABLISHED"));
    BOOST_TEST(to_string(tcp_state::syn_sent2) == std::string("SYN_SENT2"));
    BOOST_TEST(to_string(static_cast<tcp_state>(10)) == std::string("UNKNOWN"));
    BOOST_TEST(to_string(static_cast<tcp_state>(255)) == std::string("UNKNOWN"));
}

BOOST_AUTO_TEST_CASE(an_ipv4_flow_reads_as_one_line) {
    const auto e = flow(AF_INET, IPPROTO_UDP).decode();
    BOOST_TEST(to_string(e) ==
               with_id("update udp 192.0.2.1:40001 > 198.51.100.53:53 orig 3 packets 384 bytes, "
                       "reply 2 packets 456 bytes netns 4026531840",
                       e));
}

BOOST_AUTO_TEST_CASE(an_ipv6_flow_has_brackets_around_its_addresses) {
    const auto e = flow(AF_INET6, IPPROTO_TCP)
                       .put(88, std::uint32_t{7})
                       .put(102, std::uint8_t{2})
                       .put(103, std::uint8_t{7})
                       .decode();
    BOOST_TEST(to_string(e) ==
               with_id("destroy tcp [2001:db8::1]:40001 > [2001:db8::]:53 orig 3 packets 384 "
                       "bytes, reply 2 packets 456 bytes TIME_WAIT mark 7 netns 4026531840",
                       e));
}

BOOST_AUTO_TEST_CASE(a_flow_without_ports_shows_none) {
    const auto v4 = flow(AF_INET, IPPROTO_ICMP).decode();
    BOOST_TEST(to_string(v4).starts_with("update icmp 192.0.2.1 > 198.51.100.53 orig "));
    const auto v6 = flow(AF_INET6, IPPROTO_ICMPV6).decode();
    BOOST_TEST(to_string(v6).starts_with("update icmpv6 2001:db8::1 > 2001:db8:: orig "));
    const auto gre = flow(AF_INET, IPPROTO_GRE).decode();
    BOOST_TEST(to_string(gre).starts_with("update gre 192.0.2.1 > 198.51.100.53 orig "));
}

BOOST_AUTO_TEST_CASE(protocols_with_ports_have_names) {
    for (const auto& [protocol, name] :
         {std::pair(IPPROTO_TCP, "tcp"), std::pair(IPPROTO_UDP, "udp"),
          std::pair(IPPROTO_DCCP, "dccp"), std::pair(IPPROTO_SCTP, "sctp"),
          std::pair(IPPROTO_UDPLITE, "udplite")}) {
        const auto e = flow(AF_INET, protocol).decode();
        BOOST_TEST(to_string(e).starts_with(std::string("update ") + name + " 192.0.2.1:"));
    }
}

BOOST_AUTO_TEST_CASE(a_protocol_without_a_name_shows_its_number) {
    const auto e = flow(AF_INET, 253).decode();
    BOOST_TEST(to_string(e).starts_with("update proto 253 192.0.2.1 > "));
}

BOOST_AUTO_TEST_CASE(a_stream_gets_the_same_line) {
    for (const int family : {AF_INET, AF_INET6}) {
        for (const int protocol : {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP}) {
            const auto e = flow(family, protocol).decode();
            std::ostringstream os;
            os << e << '|';
            BOOST_TEST(os.str() == to_string(e) + '|');
        }
    }
}

BOOST_AUTO_TEST_CASE(a_start_that_nobody_noted_is_the_epoch) {
    BOOST_TEST(flow(AF_INET, IPPROTO_UDP).decode().start().time_since_epoch().count() == 0);
}

BOOST_AUTO_TEST_CASE(the_boot_clock_is_the_kernels) {
    const auto read = [] {
        timespec ts{};
        BOOST_REQUIRE(::clock_gettime(CLOCK_BOOTTIME, &ts) == 0);
        return boot_clock::time_point(std::chrono::seconds(ts.tv_sec) +
                                      std::chrono::nanoseconds(ts.tv_nsec));
    };
    const auto before = read();
    const auto now = boot_clock::now();
    const auto after = read();
    BOOST_TEST((before <= now && now <= after));
}

BOOST_AUTO_TEST_CASE(the_time_of_an_event_is_wall_clock_time) {
    // Generous: what is to be told apart are clocks, which are hours and years apart.
    const auto near = [](auto a, auto b) {
        return std::chrono::abs(a - b) < 1s;
    };
    const auto at = [](boot_clock::time_point t) {
        return flow(AF_INET, IPPROTO_UDP)
            .put(8, static_cast<std::uint64_t>(t.time_since_epoch().count()))
            .decode()
            .time();
    };
    const auto now = boot_clock::now();
    BOOST_TEST(near(at(now), std::chrono::system_clock::now()));
    BOOST_TEST(near(at(now + 1h), std::chrono::system_clock::now() + 1h));
    BOOST_TEST(near(at(boot_clock::time_point()),
                    std::chrono::system_clock::now() - now.time_since_epoch()));
}

BOOST_AUTO_TEST_SUITE_END()
