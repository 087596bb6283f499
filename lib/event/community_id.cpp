// SPDX-License-Identifier: Apache-2.0
#include "event/community_id.hpp"

#include <ctflow/community_id.hpp>

#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/transform_width.hpp>
#include <boost/uuid/detail/sha1.hpp>
#include <boost/version.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

namespace ctflow {
namespace {

// One end of a flow, in network order.
struct endpoint {
    std::span<const unsigned char> address;
    std::array<unsigned char, 2> port{};

    bool operator<(const endpoint& other) const noexcept {
        const auto order = std::lexicographical_compare_three_way(
            address.begin(), address.end(), other.address.begin(), other.address.end());
        return std::is_eq(order) ? port < other.port : std::is_lt(order);
    }
};

std::array<unsigned char, 2> big_endian(std::uint16_t v) noexcept {
    return {static_cast<unsigned char>(v >> 8), static_cast<unsigned char>(v & 0xff)};
}

// The type of message that is the other half of an exchange. Zeek's tables: ICMP4_counterpart() and
// ICMP6_counterpart() in its src/analyzer/protocol/icmp/ICMP.cc.
std::optional<unsigned char> counterpart(std::span<const std::pair<int, int>> pairs, int type) {
    for (const auto& [request, reply] : pairs) {
        if (type == request || type == reply) {
            return static_cast<unsigned char>(type == request ? reply : request);
        }
    }
    return std::nullopt;
}

constexpr std::array<std::pair<int, int>, 5> icmp_pairs{{{ICMP_ECHO, ICMP_ECHOREPLY},
                                                         {ICMP_TIMESTAMP, ICMP_TIMESTAMPREPLY},
                                                         {ICMP_INFO_REQUEST, ICMP_INFO_REPLY},
                                                         {10, 9}, // Router solicitation (RFC 1256).
                                                         {ICMP_ADDRESS, ICMP_ADDRESSREPLY}}};

constexpr std::array<std::pair<int, int>, 6> icmpv6_pairs{
    {{ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY},
     {MLD_LISTENER_QUERY, MLD_LISTENER_REPORT},
     {ND_ROUTER_SOLICIT, ND_ROUTER_ADVERT},
     {ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT},
     {139, 140},   // Node information (RFC 4620).
     {144, 145}}}; // Home agent address discovery (RFC 6275).

// Its digest was of words once, and is of bytes now.
std::array<unsigned char, 20> sha1(std::span<const unsigned char> message) {
    boost::uuids::detail::sha1 hash;
    hash.process_bytes(message.data(), message.size());
    boost::uuids::detail::sha1::digest_type digest;
    hash.get_digest(digest);
    std::array<unsigned char, 20> result{};
#if BOOST_VERSION >= 108600
    std::ranges::copy(digest, result.begin());
#else
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = static_cast<unsigned char>(digest[i / 4] >> (24 - i % 4 * 8) & 0xff);
    }
#endif
    return result;
}

// Of 20 bytes, a third of whose last group is missing.
void append_base64(std::string& out, const std::array<unsigned char, 20>& bytes) {
    using boost::archive::iterators::base64_from_binary;
    using boost::archive::iterators::transform_width;
    using letters = base64_from_binary<transform_width<const unsigned char*, 6, 8>>;

    std::array<unsigned char, 21> whole{};
    std::ranges::copy(bytes, whole.begin());
    out.append(letters(whole.data()), letters(whole.data() + whole.size()));
    out.back() = '=';
}

// Asks nothing of what a flow is: an ICMP message without a counterpart has a direction.
std::string id_of(std::uint16_t seed, endpoint from, endpoint to, std::uint8_t proto,
                  bool with_ports, bool directed) {
    if (!directed && to < from) {
        std::swap(from, to);
    }
    std::array<unsigned char, 2 + 16 + 16 + 2 + 2 + 2> message{};
    auto end = std::ranges::copy(big_endian(seed), message.begin()).out;
    end = std::ranges::copy(from.address, end).out;
    end = std::ranges::copy(to.address, end).out;
    *end++ = proto;
    *end++ = 0;
    if (with_ports) {
        end = std::ranges::copy(from.port, end).out;
        end = std::ranges::copy(to.port, end).out;
    }
    std::string id = "1:";
    append_base64(id, sha1({message.begin(), end}));
    return id;
}

} // namespace

std::string community_id_of(const raw_tuple& t, std::uint16_t seed) {
    const std::size_t length = t.family == AF_INET ? 4 : 16;
    endpoint from{t.src_addr.first(length)};
    endpoint to{t.dst_addr.first(length)};
    switch (t.proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_SCTP:
        from.port = big_endian(ntohs(t.src_port));
        to.port = big_endian(ntohs(t.dst_port));
        return id_of(seed, from, to, t.proto, true, false);
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6: {
        const auto type = static_cast<unsigned char>(ntohs(t.dst_port) >> 8);
        const auto code = static_cast<unsigned char>(ntohs(t.dst_port) & 0xff);
        const auto other = t.proto == IPPROTO_ICMP ? counterpart(icmp_pairs, type)
                                                   : counterpart(icmpv6_pairs, type);
        from.port = big_endian(type);
        to.port = big_endian(other.value_or(code));
        return id_of(seed, from, to, t.proto, true, !other);
    }
    default:
        return id_of(seed, from, to, t.proto, false, false);
    }
}

std::string community_id(const event& e, std::uint16_t seed) {
    const auto& r = e.record();
    return community_id_of({r.family, r.proto, r.src_addr, r.dst_addr, r.src_port, r.dst_port},
                           seed);
}

std::string translated_community_id(const event& e, std::uint16_t seed) {
    if (!e.has_nat()) {
        return community_id(e, seed);
    }
    const auto& r = e.record();
    const auto& reply = e.trailer()->reply;
    // Its mirror, but for ICMP's type: that of the answer is another.
    const bool icmp = r.proto == IPPROTO_ICMP || r.proto == IPPROTO_ICMPV6;
    return community_id_of({r.family, r.proto, reply.dst_addr, reply.src_addr, reply.dst_port,
                            icmp ? r.dst_port : reply.src_port},
                           seed);
}

} // namespace ctflow
