// SPDX-License-Identifier: Apache-2.0
#include "filter/tests.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>

namespace ctflow::filtering {
namespace {

namespace ip = boost::asio::ip;

constexpr unsigned mapped_bits = 96; // RFC 4291, 2.5.5.2.

} // namespace

ip::address prefix_of(const ip::address& a, unsigned length) {
    const auto bits = static_cast<unsigned short>(length);
    if (a.is_v4()) {
        return ip::network_v4(a.to_v4(), bits).network();
    }
    return ip::network_v6(a.to_v6(), bits).network();
}

bool is_prefix(const ip::address& a, unsigned length) {
    // Scope ids aside.
    return net_test(prefix_of(a, length), 0, {}) == net_test(a, 0, {});
}

filter_node net_test(const ip::address& a, unsigned length, flow_end end) noexcept {
    if (a.is_v6() && a.to_v6().is_v4_mapped() && length >= mapped_bits) {
        return net_test(ip::make_address_v4(ip::v4_mapped, a.to_v6()), length - mapped_bits, end);
    }
    auto n = number_test(filter_op::net, a.is_v4() ? 4 : 6, length, end);
    if (a.is_v4()) {
        std::ranges::copy(a.to_v4().to_bytes(), n.address.begin());
    } else {
        std::ranges::copy(a.to_v6().to_bytes(), n.address.begin());
    }
    return n;
}

ip::address address_of(const filter_node& net) noexcept {
    if (net.first == 4) {
        ip::address_v4::bytes_type bytes;
        std::copy_n(net.address.begin(), bytes.size(), bytes.begin());
        return ip::address_v4(bytes);
    }
    ip::address_v6::bytes_type bytes;
    std::ranges::copy(net.address, bytes.begin());
    return ip::address_v6(bytes);
}

} // namespace ctflow::filtering
