// SPDX-License-Identifier: Apache-2.0
#include "event/blake3.hpp"

#include <ctflow/event.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace {

// BLAKE3's output begins with its first word's lowest byte; b3sum prints the bytes in order.
constexpr std::uint32_t as_printed(std::uint32_t word) {
    return word >> 24 | (word >> 8 & 0xff00) | (word << 8 & 0xff0000) | word << 24;
}

void set_address(unsigned char (&out)[16], const char* text) {
    const auto address = boost::asio::ip::make_address(text);
    if (address.is_v4()) {
        std::ranges::copy(address.to_v4().to_bytes(), out);
    } else {
        std::ranges::copy(address.to_v6().to_bytes(), out);
    }
}

ctflow_record flow(int protocol, const char* from, std::uint16_t from_port, const char* to,
                   std::uint16_t to_port, std::uint64_t conntrack) {
    ctflow_record r{};
    r.family = boost::asio::ip::make_address(from).is_v4() ? AF_INET : AF_INET6;
    set_address(r.src_addr, from);
    set_address(r.dst_addr, to);
    r.src_port = htons(from_port);
    r.dst_port = htons(to_port);
    r.proto = static_cast<unsigned char>(protocol);
    r.conntrack = conntrack;
    r.kind = CTFLOW_RECORD_UPDATE;
    return r;
}

std::uint32_t id(const ctflow_record& r) {
    return ctflow::event(r).flow_id();
}

} // namespace

BOOST_AUTO_TEST_SUITE(flow_id)

// The constants are the first 8 digits of what b3sum prints, of Debian's package of that name:
//
//     for n in $(seq 0 64); do
//         seq 0 250 | awk '{printf "%02x", $1}' | xxd -r -p | head -c $n | b3sum | cut -c-8
//     done
//
// The messages are those of BLAKE3's official test vectors.
BOOST_AUTO_TEST_CASE(blake3_has_the_official_digests_for_all_lengths_of_one_block) {
    constexpr std::array<std::uint32_t, 65> digests = {
        0xaf1349b9, 0x2d3adedf, 0x7b7015bb, 0xe1be4d7a, 0xf30f5ab2, 0xb40b44df, 0x06c4e8ff,
        0x3f8770f3, 0x2351207d, 0xa0fc27e5, 0x87fcf07c, 0x02662e12, 0x46771fd4, 0xe1c0bbb0,
        0xcbfa77a4, 0x163475fc, 0xa6a49296, 0x8462aa7b, 0x66a671e4, 0x9f9cc808, 0xa418faec,
        0x7fe1802d, 0x2e4d3dcd, 0x3f312352, 0x0b3ab940, 0xedf54f99, 0x2b001b01, 0x630af054,
        0x4d769441, 0x0a8b04b4, 0x4a370926, 0xbda80c7f, 0xe528e957, 0x4f4e6c1d, 0x0dbefe45,
        0xb1153ab4, 0x02b34dc7, 0xb86799bc, 0xd7854549, 0x6742ad32, 0x9563a50f, 0xf0dbd489,
        0xb4cdeeb0, 0x051978d4, 0x062c1bce, 0x304acd11, 0xf420058b, 0x39da10bf, 0x5e990252,
        0xb78309b3, 0x475438fc, 0xc98aad8b, 0xd9b171ee, 0x0f424590, 0x6fe71231, 0xd04ec5f6,
        0x60f23811, 0xae097943, 0xca204ceb, 0x4f174aca, 0xfe59ba00, 0x86a2cf17, 0x1f5ebf4b,
        0xe9bc37a5, 0x4eed7141};
    for (std::size_t length = 0; length < digests.size(); ++length) {
        BOOST_TEST_CONTEXT("length " << length) {
            std::vector<std::byte> message;
            for (std::size_t i = 0; i < length; ++i) {
                message.push_back(static_cast<std::byte>(i));
            }
            BOOST_TEST(as_printed(ctflow::blake3_first_word(message)) == digests[length]);
        }
    }
}

BOOST_AUTO_TEST_CASE(conntraccts_published_flow_keeps_its_id) {
    BOOST_TEST(id(flow(IPPROTO_TCP, "1.2.3.4", 1234, "5.6.7.8", 5678, 11111111111111111111U)) ==
               0x97c684U);
}

// The ids below are made of what b3sum prints for the 45 bytes in the comment:
//
//     echo HEX | xxd -r -p | b3sum | cut -c-8
//
// with the order of its four bytes reversed, shifted right by one.

BOOST_AUTO_TEST_CASE(a_udp_flow_has_the_id_that_b3sum_gives) {
    // 00000000000000000000ffffc000020100000000000000000000ffffc63364359c41003511005634128088ffff
    BOOST_TEST(id(flow(IPPROTO_UDP, "192.0.2.1", 40001, "198.51.100.53", 53, 0xffff888012345600)) ==
               as_printed(0xd8ad100e) >> 1);
}

BOOST_AUTO_TEST_CASE(an_icmp_flow_counts_with_ports_of_zero) {
    // 00000000000000000000ffff0a00000100000000000000000000ffff0a0000020000000001000e0d0c0b9affff
    constexpr auto expected = as_printed(0x36fd764e) >> 1;
    BOOST_TEST(id(flow(IPPROTO_ICMP, "10.0.0.1", 0, "10.0.0.2", 0, 0xffff9a0b0c0d0e00)) ==
               expected);
    // The kernel keeps the id, type and code of an echo where others have their ports.
    BOOST_TEST(id(flow(IPPROTO_ICMP, "10.0.0.1", 77, "10.0.0.2", 0x0800, 0xffff9a0b0c0d0e00)) ==
               expected);
}

BOOST_AUTO_TEST_CASE(an_ipv6_tcp_flow_has_the_id_that_b3sum_gives) {
    // 20010db800000000000000000000000120010db8000000010000000000000002c73801bb0600f1debc8a88ffff
    BOOST_TEST(id(flow(IPPROTO_TCP, "2001:db8::1", 51000, "2001:db8:0:1::2", 443,
                       0xffff888abcdef100)) == as_printed(0xe740a122) >> 1);
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_that_ends_in_zeros_is_not_taken_for_an_ipv4) {
    // 20010db800000000000000000000000020010db8ffff0000000000000000000003e807d011000100008088ffff
    BOOST_TEST(id(flow(IPPROTO_UDP, "2001:db8::", 1000, "2001:db8:ffff::", 2000,
                       0xffff888000000100)) == as_printed(0xbc618e8d) >> 1);
}

BOOST_AUTO_TEST_CASE(an_icmpv6_flow_has_the_id_that_b3sum_gives) {
    // fe800000000000000000000000000001ff020000000000000000000000000001000000003a0100000000000000
    BOOST_TEST(id(flow(IPPROTO_ICMPV6, "fe80::1", 128, "ff02::1", 1, 1)) ==
               as_printed(0xf9effc1b) >> 1);
}

BOOST_AUTO_TEST_CASE(all_events_of_a_flow_have_one_id) {
    const auto first = flow(IPPROTO_TCP, "192.0.2.1", 1, "192.0.2.2", 2, 0xffff888000000200);
    auto last = first;
    last.kind = CTFLOW_RECORD_DESTROY;
    last.start = 1;
    last.timestamp = 2;
    last.packets_orig = 3;
    last.bytes_orig = 4;
    last.packets_ret = 5;
    last.bytes_ret = 6;
    last.connmark = 7;
    last.netns = 8;
    last.tcp_state = 9;
    BOOST_TEST(id(first) == id(last));
}

BOOST_AUTO_TEST_CASE(another_flow_has_another_id) {
    const auto base = flow(IPPROTO_TCP, "192.0.2.1", 1, "192.0.2.2", 2, 0xffff888000000200);
    auto other = base;
    std::ranges::swap(other.src_addr, other.dst_addr);
    BOOST_TEST(id(other) != id(base));
    other = base;
    std::ranges::swap(other.src_port, other.dst_port);
    BOOST_TEST(id(other) != id(base));
    other = base;
    other.proto = IPPROTO_UDP;
    BOOST_TEST(id(other) != id(base));
    other = base;
    other.conntrack += 0x100; // The next object of the slab.
    BOOST_TEST(id(other) != id(base));
}

BOOST_AUTO_TEST_CASE(ids_have_31_bits_at_most) {
    bool high = false;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const auto each = id(flow(IPPROTO_UDP, "192.0.2.1", 1, "192.0.2.2", 2, i << 8));
        BOOST_REQUIRE(each <= 0x7fffffffU);
        high |= each >= 0x40000000U;
    }
    BOOST_TEST(high); // And no fewer.
}

BOOST_AUTO_TEST_SUITE_END()
