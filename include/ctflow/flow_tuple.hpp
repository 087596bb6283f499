// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstdint>

namespace ctflow {

/// The two ends of one direction of a flow, as conntrack's tuples have them.
struct flow_tuple {
    boost::asio::ip::address src_addr; ///< Who sends in this direction.
    boost::asio::ip::address dst_addr; ///< Who receives.
    std::uint16_t src_port = 0; ///< Host order; 0 of a protocol without ports (event::has_ports()).
    std::uint16_t dst_port = 0; ///< The same.

    /// The other direction, as long as nothing translates addresses between.
    flow_tuple mirrored() const { return {dst_addr, src_addr, dst_port, src_port}; }

    /// Whether both are the same.
    friend bool operator==(const flow_tuple&, const flow_tuple&) = default;
};

} // namespace ctflow
