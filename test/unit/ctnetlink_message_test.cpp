// SPDX-License-Identifier: Apache-2.0
#include "ctnetlink/message.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>

using namespace ctflow::ctnetlink;

namespace {

// A message as ctnetlink writes them, attribute by attribute.
class builder {
public:
    explicit builder(std::uint8_t family = AF_INET, int type = IPCTNL_MSG_CT_DELETE,
                     int subsystem = NFNL_SUBSYS_CTNETLINK)
        : header_(mnl_nlmsg_put_header(bytes_.data())) {
        header_->nlmsg_type = static_cast<std::uint16_t>(subsystem << 8 | type);
        auto* const about =
            static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header_, sizeof(nfgenmsg)));
        about->nfgen_family = family;
    }

    template <class T>
    builder& put(int type, T value) {
        mnl_attr_put(header_, static_cast<std::uint16_t>(type), sizeof(value), &value);
        return *this;
    }

    builder& put_address(int type, int family, const char* text) {
        std::array<unsigned char, 16> a{};
        BOOST_REQUIRE(::inet_pton(family, text, a.data()) == 1);
        mnl_attr_put(header_, static_cast<std::uint16_t>(type), family == AF_INET ? 4 : 16,
                     a.data());
        return *this;
    }

    builder& nest(int type, const std::function<void()>& inner) {
        auto* const outer = mnl_attr_nest_start(header_, static_cast<std::uint16_t>(type));
        inner();
        mnl_attr_nest_end(header_, outer);
        return *this;
    }

    builder& tuple(
        int type, std::uint8_t proto, const std::function<void()>& ports = [] {}) {
        return nest(type, [&] {
            nest(CTA_TUPLE_IP, [&] {
                put_address(CTA_IP_V4_SRC, AF_INET, "192.0.2.1");
                put_address(CTA_IP_V4_DST, AF_INET, "198.51.100.2");
            });
            nest(CTA_TUPLE_PROTO, [&] {
                put(CTA_PROTO_NUM, proto);
                ports();
            });
        });
    }

    builder& ports(int type, std::uint8_t proto) {
        return tuple(type, proto, [&] {
            put(CTA_PROTO_SRC_PORT, ::htons(1001));
            put(CTA_PROTO_DST_PORT, ::htons(53));
        });
    }

    builder& counters(int type, std::uint64_t packets, std::uint64_t bytes) {
        return nest(type, [&] {
            put(CTA_COUNTERS_PACKETS, htobe64(packets));
            put(CTA_COUNTERS_BYTES, htobe64(bytes));
        });
    }

    // Bytes of its own, with nothing behind them.
    std::vector<std::byte> bytes() const {
        const auto all = std::as_bytes(std::span(bytes_)).first(header_->nlmsg_len);
        return {all.begin(), all.end()};
    }

    std::optional<message> parsed() const { return parse(bytes()); }

private:
    alignas(nlmsghdr) std::array<char, 4096> bytes_{};
    nlmsghdr* header_;
};

// One with all there is.
builder full_message() {
    builder b;
    b.ports(CTA_TUPLE_ORIG, IPPROTO_TCP).ports(CTA_TUPLE_REPLY, IPPROTO_TCP);
    b.put(CTA_STATUS, ::htonl(0x18e));
    b.counters(CTA_COUNTERS_ORIG, 7, 0x0123456789abcdef).counters(CTA_COUNTERS_REPLY, 5, 500);
    b.nest(CTA_PROTOINFO, [&] {
        b.nest(CTA_PROTOINFO_TCP, [&] { b.put(CTA_PROTOINFO_TCP_STATE, std::uint8_t{7}); });
    });
    b.nest(CTA_TIMESTAMP, [&] {
        b.put(CTA_TIMESTAMP_START, htobe64(1'700'000'000'123'456'789U));
        b.put(CTA_TIMESTAMP_STOP, htobe64(1'700'000'009'000'000'001U));
    });
    b.put(CTA_MARK, ::htonl(42)).put(CTA_ZONE, ::htons(9)).put(CTA_ID, ::htonl(0x11223344));
    return b;
}

std::array<unsigned char, 16> address(int family, const char* text) {
    std::array<unsigned char, 16> a{};
    BOOST_REQUIRE(::inet_pton(family, text, a.data()) == 1);
    return a;
}

} // namespace

BOOST_AUTO_TEST_SUITE(ctnetlink_message)

BOOST_AUTO_TEST_CASE(an_end_with_all_there_is) {
    const auto m = full_message().parsed();
    BOOST_REQUIRE(m.has_value());
    BOOST_TEST((m->kind == message_kind::end));
    BOOST_TEST((m->key.src_addr == address(AF_INET, "192.0.2.1")));
    BOOST_TEST((m->key.dst_addr == address(AF_INET, "198.51.100.2")));
    BOOST_TEST(m->key.src_port == ::htons(1001));
    BOOST_TEST(m->key.dst_port == ::htons(53));
    BOOST_TEST(m->key.zone == 9);
    BOOST_TEST(m->zone == 9);
    BOOST_TEST(m->key.proto == IPPROTO_TCP);
    BOOST_TEST(m->key.family == AF_INET);
    BOOST_TEST(m->has_counters);
    BOOST_TEST(m->packets_orig == 7U);
    BOOST_TEST(m->bytes_orig == 0x0123456789abcdefU);
    BOOST_TEST(m->packets_ret == 5U);
    BOOST_TEST(m->bytes_ret == 500U);
    BOOST_TEST(m->start == 1'700'000'000'123'456'789U);
    BOOST_TEST(m->stop == 1'700'000'009'000'000'001U);
    BOOST_TEST(m->mark == 42U);
    BOOST_TEST(m->tcp_state == 7);
    BOOST_TEST(m->status == 0x18eU);
    BOOST_TEST(m->zone_dir == 3);
    BOOST_TEST(!m->time_left);
}

BOOST_AUTO_TEST_CASE(a_reply_that_is_the_mirror_is_not_told_and_any_other_is) {
    const auto reply = [](const char* src, const char* dst, std::uint16_t sport,
                          std::uint16_t dport) {
        builder b;
        b.ports(CTA_TUPLE_ORIG, IPPROTO_UDP); // 192.0.2.1:1001 > 198.51.100.2:53
        b.nest(CTA_TUPLE_REPLY, [&] {
            b.nest(CTA_TUPLE_IP, [&] {
                b.put_address(CTA_IP_V4_SRC, AF_INET, src);
                b.put_address(CTA_IP_V4_DST, AF_INET, dst);
            });
            b.nest(CTA_TUPLE_PROTO, [&] {
                b.put(CTA_PROTO_NUM, std::uint8_t{IPPROTO_UDP});
                b.put(CTA_PROTO_SRC_PORT, ::htons(sport));
                b.put(CTA_PROTO_DST_PORT, ::htons(dport));
            });
        });
        return b.parsed().value().reply;
    };
    BOOST_TEST(!reply("198.51.100.2", "192.0.2.1", 53, 1001));
    BOOST_TEST(reply("198.51.100.3", "192.0.2.1", 53, 1001).has_value());
    BOOST_TEST(reply("198.51.100.2", "192.0.2.2", 53, 1001).has_value());
    BOOST_TEST(reply("198.51.100.2", "192.0.2.1", 54, 1001).has_value());
    const auto translated = reply("198.51.100.2", "192.0.2.1", 53, 40000);
    BOOST_REQUIRE(translated);
    BOOST_TEST(translated->src_port == ::htons(53));
    BOOST_TEST(translated->dst_port == ::htons(40000));
}

// Its type and code are the answer's, for which there is no rule.
BOOST_AUTO_TEST_CASE(the_reply_of_a_ping_is_its_mirror) {
    builder b;
    const auto icmp = [&](std::uint8_t type) {
        b.put(CTA_PROTO_NUM, std::uint8_t{IPPROTO_ICMP}).put(CTA_PROTO_ICMP_ID, ::htons(7));
        b.put(CTA_PROTO_ICMP_TYPE, type).put(CTA_PROTO_ICMP_CODE, std::uint8_t{0});
    };
    b.nest(CTA_TUPLE_ORIG, [&] {
        b.nest(CTA_TUPLE_IP, [&] {
            b.put_address(CTA_IP_V4_SRC, AF_INET, "192.0.2.1");
            b.put_address(CTA_IP_V4_DST, AF_INET, "192.0.2.2");
        });
        b.nest(CTA_TUPLE_PROTO, [&] { icmp(8); });
    });
    b.nest(CTA_TUPLE_REPLY, [&] {
        b.nest(CTA_TUPLE_IP, [&] {
            b.put_address(CTA_IP_V4_SRC, AF_INET, "192.0.2.2");
            b.put_address(CTA_IP_V4_DST, AF_INET, "192.0.2.1");
        });
        b.nest(CTA_TUPLE_PROTO, [&] { icmp(0); });
    });
    BOOST_TEST(!b.parsed().value().reply);
}

BOOST_AUTO_TEST_CASE(time_that_is_left_and_the_state_of_an_association) {
    builder b;
    b.ports(CTA_TUPLE_ORIG, IPPROTO_SCTP).put(CTA_TIMEOUT, ::htonl(29));
    b.nest(CTA_PROTOINFO, [&] {
        b.nest(CTA_PROTOINFO_SCTP, [&] { b.put(CTA_PROTOINFO_SCTP_STATE, std::uint8_t{1}); });
    });
    const auto m = b.parsed();
    BOOST_REQUIRE(m.has_value());
    BOOST_TEST(m->time_left);
    BOOST_TEST(m->sctp_state == 1);
    BOOST_TEST(m->tcp_state == 0);
}

BOOST_AUTO_TEST_CASE(what_a_dump_lists_is_a_flow) {
    builder b(AF_INET, IPCTNL_MSG_CT_NEW);
    const auto m = b.ports(CTA_TUPLE_ORIG, IPPROTO_UDP).parsed();
    BOOST_REQUIRE(m.has_value());
    BOOST_TEST((m->kind == message_kind::flow));
}

BOOST_AUTO_TEST_CASE(what_is_not_told_is_zero) {
    const auto m = builder().ports(CTA_TUPLE_ORIG, IPPROTO_UDP).parsed();
    BOOST_REQUIRE(m.has_value());
    BOOST_TEST(!m->has_counters);
    BOOST_TEST(m->packets_orig == 0U);
    BOOST_TEST(m->start == 0U);
    BOOST_TEST(m->stop == 0U);
    BOOST_TEST(m->mark == 0U);
    BOOST_TEST(m->tcp_state == 0);
    BOOST_TEST(m->key.zone == 0);
}

BOOST_AUTO_TEST_CASE(counters_of_one_direction_are_none) {
    builder b;
    b.ports(CTA_TUPLE_ORIG, IPPROTO_UDP).counters(CTA_COUNTERS_ORIG, 1, 2);
    const auto m = b.parsed();
    BOOST_REQUIRE(m.has_value());
    BOOST_TEST(!m->has_counters);
}

BOOST_AUTO_TEST_CASE(an_icmp_flow_has_id_type_and_code) {
    builder b;
    b.tuple(CTA_TUPLE_ORIG, IPPROTO_ICMP, [&] {
        b.put(CTA_PROTO_ICMP_ID, ::htons(0x1234));
        b.put(CTA_PROTO_ICMP_TYPE, std::uint8_t{8}).put(CTA_PROTO_ICMP_CODE, std::uint8_t{3});
    });
    const auto m = b.parsed();
    BOOST_REQUIRE(m.has_value());
    BOOST_TEST(m->key.src_port == ::htons(0x1234));
    const std::array<unsigned char, 2> in_memory{8, 3};
    BOOST_TEST(std::memcmp(&m->key.dst_port, in_memory.data(), 2) == 0);
}

BOOST_AUTO_TEST_CASE(an_icmpv6_flow_has_them_too) {
    builder b(AF_INET6);
    b.nest(CTA_TUPLE_ORIG, [&] {
        b.nest(CTA_TUPLE_IP, [&] {
            b.put_address(CTA_IP_V6_SRC, AF_INET6, "2001:db8::1");
            b.put_address(CTA_IP_V6_DST, AF_INET6, "2001:db8::ffff:2");
        });
        b.nest(CTA_TUPLE_PROTO, [&] {
            b.put(CTA_PROTO_NUM, std::uint8_t{IPPROTO_ICMPV6});
            b.put(CTA_PROTO_ICMPV6_ID, ::htons(77));
            b.put(CTA_PROTO_ICMPV6_TYPE, std::uint8_t{128});
            b.put(CTA_PROTO_ICMPV6_CODE, std::uint8_t{0});
        });
    });
    const auto m = b.parsed();
    BOOST_REQUIRE(m.has_value());
    BOOST_TEST(m->key.family == AF_INET6);
    BOOST_TEST((m->key.src_addr == address(AF_INET6, "2001:db8::1")));
    BOOST_TEST((m->key.dst_addr == address(AF_INET6, "2001:db8::ffff:2")));
    BOOST_TEST(m->key.src_port == ::htons(77));
    const std::array<unsigned char, 2> in_memory{128, 0};
    BOOST_TEST(std::memcmp(&m->key.dst_port, in_memory.data(), 2) == 0);
}

BOOST_AUTO_TEST_CASE(a_protocol_without_ports_has_zeroes) {
    const auto m = builder().tuple(CTA_TUPLE_ORIG, IPPROTO_ESP).parsed();
    BOOST_REQUIRE(m.has_value());
    BOOST_TEST(m->key.proto == IPPROTO_ESP);
    BOOST_TEST(m->key.src_port == 0);
    BOOST_TEST(m->key.dst_port == 0);
}

BOOST_AUTO_TEST_CASE(a_zone_may_be_that_of_one_direction) {
    for (const int direction : {CTA_TUPLE_ORIG, CTA_TUPLE_REPLY}) {
        builder b;
        for (const int tuple : {CTA_TUPLE_ORIG, CTA_TUPLE_REPLY}) {
            b.nest(tuple, [&] {
                b.nest(CTA_TUPLE_IP, [&] {
                    b.put_address(CTA_IP_V4_SRC, AF_INET, "192.0.2.1");
                    b.put_address(CTA_IP_V4_DST, AF_INET, "192.0.2.2");
                });
                b.nest(CTA_TUPLE_PROTO, [&] { b.put(CTA_PROTO_NUM, std::uint8_t{17}); });
                if (tuple == direction) {
                    b.put(CTA_TUPLE_ZONE, ::htons(300));
                }
            });
        }
        const auto m = b.parsed();
        BOOST_REQUIRE(m.has_value());
        BOOST_TEST(m->zone == 300);
        BOOST_TEST(m->zone_dir == (direction == CTA_TUPLE_ORIG ? 1 : 2));
        // Conntrack may have a flow of the same tuple without a zone beside the one, not the other.
        BOOST_TEST(m->key.zone == (direction == CTA_TUPLE_ORIG ? 300 : 0));
    }
}

BOOST_AUTO_TEST_CASE(other_messages_are_none_of_ours) {
    const auto tuple = [](builder&& b) {
        return b.ports(CTA_TUPLE_ORIG, IPPROTO_UDP).bytes();
    };
    BOOST_TEST(parse(tuple(builder(AF_INET))).has_value());
    BOOST_TEST(!parse(tuple(builder(AF_INET, IPCTNL_MSG_CT_GET))).has_value());
    BOOST_TEST(!parse(tuple(builder(AF_INET, IPCTNL_MSG_CT_GET_STATS))).has_value());
    BOOST_TEST(
        !parse(tuple(builder(AF_INET, IPCTNL_MSG_CT_NEW, NFNL_SUBSYS_CTNETLINK_EXP))).has_value());
    BOOST_TEST(!parse(tuple(builder(AF_UNSPEC))).has_value());
    BOOST_TEST(!parse(tuple(builder(AF_BRIDGE))).has_value());
    BOOST_TEST(!parse(tuple(builder(AF_INET6))).has_value()); // IPv4 addresses are none of these.
    BOOST_TEST(!parse({}).has_value());
}

BOOST_AUTO_TEST_CASE(a_message_without_the_tuple_is_nothing) {
    BOOST_TEST(!builder().parsed().has_value());
    BOOST_TEST(!builder().ports(CTA_TUPLE_REPLY, IPPROTO_UDP).parsed().has_value());

    builder no_protocol;
    no_protocol.nest(CTA_TUPLE_ORIG, [&] {
        no_protocol.nest(CTA_TUPLE_IP, [&] {
            no_protocol.put_address(CTA_IP_V4_SRC, AF_INET, "192.0.2.1");
            no_protocol.put_address(CTA_IP_V4_DST, AF_INET, "192.0.2.2");
        });
    });
    BOOST_TEST(!no_protocol.parsed().has_value());

    builder short_address;
    short_address.nest(CTA_TUPLE_ORIG, [&] {
        short_address.nest(CTA_TUPLE_IP, [&] {
            short_address.put_address(CTA_IP_V4_SRC, AF_INET, "192.0.2.1");
            short_address.put(CTA_IP_V4_DST, std::uint16_t{1});
        });
        short_address.nest(CTA_TUPLE_PROTO,
                           [&] { short_address.put(CTA_PROTO_NUM, std::uint8_t{17}); });
    });
    BOOST_TEST(!short_address.parsed().has_value());
}

BOOST_AUTO_TEST_CASE(values_of_a_wrong_size_are_not_there) {
    builder b;
    b.ports(CTA_TUPLE_ORIG, IPPROTO_TCP);
    b.put(CTA_MARK, std::uint16_t{0xffff}).put(CTA_ZONE, std::uint32_t{0xffffffff});
    b.nest(CTA_TIMESTAMP, [&] { b.put(CTA_TIMESTAMP_START, std::uint32_t{1}); });
    const auto m = b.parsed();
    BOOST_REQUIRE(m.has_value());
    BOOST_TEST(m->mark == 0U);
    BOOST_TEST(m->zone == 0);
    BOOST_TEST(m->key.zone == 0);
    BOOST_TEST(m->start == 0U);
}

// The sanitizer sees what is read beyond: these bytes end where the memory does.
BOOST_AUTO_TEST_CASE(a_message_cut_anywhere_does_no_harm) {
    const auto whole = full_message().bytes();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const std::vector<std::byte> cut(whole.begin(),
                                         whole.begin() + static_cast<std::ptrdiff_t>(length));
        BOOST_TEST(!parse(cut).has_value()); // It says that it is longer.

        auto shortened = cut;
        if (length >= sizeof(nlmsghdr)) {
            const auto says = static_cast<std::uint32_t>(length);
            std::memcpy(shortened.data() + offsetof(nlmsghdr, nlmsg_len), &says, sizeof(says));
        }
        (void)parse(shortened);
    }
}

BOOST_AUTO_TEST_CASE(bytes_changed_anywhere_do_no_harm) {
    const auto whole = full_message().bytes();
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp,bugprone-*): the same in each run.
    for (int round = 0; round < 20000; ++round) {
        auto changed = whole;
        for (int i = 0; i < 3; ++i) {
            changed[random() % changed.size()] = static_cast<std::byte>(random());
        }
        (void)parse(changed);
    }
}

BOOST_AUTO_TEST_SUITE_END()
