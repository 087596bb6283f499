// SPDX-License-Identifier: Apache-2.0
#include "filter/entry.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace ctflow::filtering {
namespace {

constexpr std::uint64_t all_ones = ~std::uint64_t{0};

unsigned char family(std::uint64_t version) noexcept {
    return version == 4 ? CTFLOW_FAMILY_IPV4 : CTFLOW_FAMILY_IPV6;
}

unsigned char ends(std::uint8_t end) noexcept {
    switch (static_cast<flow_end>(end)) {
    case flow_end::src:
        return CTFLOW_FILTER_SRC;
    case flow_end::dst:
        return CTFLOW_FILTER_DST;
    case flow_end::either:
        break;
    }
    return CTFLOW_FILTER_SRC | CTFLOW_FILTER_DST;
}

std::array<unsigned char, 16> mask_bytes(std::uint64_t length) noexcept {
    std::array<unsigned char, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size() && length > i * 8; ++i) {
        const auto ones = length - i * 8;
        bytes[i] = static_cast<unsigned char>(ones >= 8 ? 0xff : 0xff00 >> ones);
    }
    return bytes;
}

void set_number(ctflow_filter_test& t, unsigned char op, std::uint64_t low, std::uint64_t high,
                std::uint64_t mask = all_ones) noexcept {
    t.op = op;
    t.number = {low, high - low, mask};
}

void set_least(ctflow_filter_test& t, unsigned char op, std::uint64_t least,
               unsigned char change) noexcept {
    set_number(t, op, least, all_ones);
    t.no.changes = change;
}

void set_address(ctflow_filter_test& t, const filter_node& n) noexcept {
    t.op = CTFLOW_FILTER_ADDRESS;
    t.ends = ends(n.end);
    t.family = family(n.first);
    const auto mask = mask_bytes(n.second);
    t.address = {};
    std::memcpy(t.address.words, n.address.data(), sizeof(t.address.words));
    std::memcpy(t.address.mask, mask.data(), sizeof(t.address.mask));
}

} // namespace

ctflow_filter_test entry_of(const filter_node& n) noexcept {
    ctflow_filter_test t{};
    switch (n.op) {
    case filter_op::family:
        set_number(t, CTFLOW_FILTER_FAMILY, family(n.first), family(n.first));
        break;
    case filter_op::proto:
        set_number(t, CTFLOW_FILTER_PROTO, n.first, n.first);
        break;
    case filter_op::net:
        set_address(t, n);
        break;
    case filter_op::port:
        set_number(t, CTFLOW_FILTER_PORT, n.first, n.second);
        t.ends = ends(n.end);
        break;
    case filter_op::mark:
        set_number(t, CTFLOW_FILTER_MARK, n.first, n.first, n.second);
        t.yes.changes = t.no.changes = CTFLOW_FILTER_MARK_CHANGES;
        break;
    case filter_op::zone:
        set_number(t, CTFLOW_FILTER_ZONE, n.first, n.first);
        break;
    case filter_op::netns:
        set_number(t, CTFLOW_FILTER_NETNS, n.first, n.first);
        break;
    case filter_op::bytes:
        set_least(t, CTFLOW_FILTER_BYTES, n.first, CTFLOW_FILTER_COUNTERS_CHANGE);
        break;
    case filter_op::packets:
        set_least(t, CTFLOW_FILTER_PACKETS, n.first, CTFLOW_FILTER_COUNTERS_CHANGE);
        break;
    case filter_op::age:
        set_least(t, CTFLOW_FILTER_AGE, n.first, CTFLOW_FILTER_AGE_CHANGES);
        break;
    default: // Nothing: no family is that.
        set_number(t, CTFLOW_FILTER_FAMILY, all_ones, all_ones);
    }
    return t;
}

} // namespace ctflow::filtering
