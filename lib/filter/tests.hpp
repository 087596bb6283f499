// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter/nodes.hpp"

#include <ctflow/filter.hpp>

#include <boost/asio/ip/address.hpp>

#include <cstdint>

namespace ctflow::filtering {

// Tests from what they are about, which is within its range.
inline filter_node number_test(filter_op op, std::uint64_t first, std::uint64_t second = 0,
                               flow_end end = flow_end::either) noexcept {
    filter_node n;
    n.op = op;
    n.end = static_cast<std::uint8_t>(end);
    n.first = first;
    n.second = second;
    return n;
}

inline unsigned address_bits(const boost::asio::ip::address& a) noexcept {
    return a.is_v4() ? 32 : 128;
}

// The address with zeros beyond the prefix.
boost::asio::ip::address prefix_of(const boost::asio::ip::address& a, unsigned length);

bool is_prefix(const boost::asio::ip::address& a, unsigned length);

filter_node net_test(const boost::asio::ip::address& a, unsigned length, flow_end end) noexcept;

// The address of a net_test.
boost::asio::ip::address address_of(const filter_node& net) noexcept;

} // namespace ctflow::filtering
