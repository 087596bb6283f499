// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/netns.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>

#include <cstdint>
#include <string>

namespace ctflow::test {

// A network behind a router, and the world outside, which knows nothing of it.
struct routed {
    netns home{"ctflow-home"};
    netns router{"ctflow-router"};
    netns outside{"ctflow-outside"};
    boost::asio::io_context sockets; // Never run.

    routed() {
        shell("ip link add eth0 netns ctflow-home type veth peer name lan netns ctflow-router");
        shell("ip link add wan netns ctflow-router type veth peer name eth0 netns ctflow-outside");
        home.link_up("eth0", "10.1.0.2/24", "fd00:1::2/64");
        router.link_up("lan", "10.1.0.1/24", "fd00:1::1/64");
        router.link_up("wan", "192.0.2.1/24", "2001:db8::1/64");
        outside.link_up("eth0", "192.0.2.2/24", "2001:db8::2/64");
        home.run("ip route add default via 10.1.0.1");
        home.run("ip -6 route add default via fd00:1::1");
        router.sysctl("ipv4/ip_forward", "1");
        router.sysctl("ipv6/conf/all/forwarding", "1");
    }

    template <class Socket>
    Socket bind(const netns& ns, const std::string& address, std::uint16_t port) {
        const netns::inside in(ns);
        return {sockets, typename Socket::protocol_type::endpoint(
                             boost::asio::ip::make_address(address), port)};
    }

    // A datagram there, and one back, to whoever sent it.
    void ask(boost::asio::ip::udp::socket& from, const boost::asio::ip::udp::endpoint& to,
             boost::asio::ip::udp::socket& answering) {
        std::string text(100, ' ');
        boost::asio::ip::udp::endpoint seen;
        from.send_to(boost::asio::buffer(text), to);
        answering.receive_from(boost::asio::buffer(text), seen);
        answering.send_to(boost::asio::buffer(text, 50), seen);
        from.receive_from(boost::asio::buffer(text), seen);
    }
};

} // namespace ctflow::test
