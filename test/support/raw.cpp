// SPDX-License-Identifier: Apache-2.0
#include "support/raw.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/raw_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/icmp.hpp>

namespace ctflow::test {

namespace asio = boost::asio;

void send_raw(const netns& from, const asio::ip::address& source,
              const asio::ip::address& destination, std::uint8_t protocol, const bytes& payload) {
    using raw = asio::generic::raw_protocol;
    const auto endpoint = [&](const asio::ip::address& address) {
        const asio::ip::icmp::endpoint e(address, 0);
        return raw::endpoint(e.data(), e.size(), protocol);
    };
    const netns::inside in(from);
    asio::io_context context;
    raw::socket socket(context, endpoint(source));
    socket.send_to(asio::buffer(payload), endpoint(destination));
}

} // namespace ctflow::test
