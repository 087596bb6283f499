// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/netns.hpp"
#include "vm/watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace ctflow::test {

// Two hosts and what they say to each other: the fixture of most tests.
struct world {
    netns_pair net;
    boost::asio::io_context sockets; // Never run: its sockets are used synchronously.

    boost::asio::ip::udp::socket bind_udp(const netns& ns, const std::string& address,
                                          std::uint16_t port);
    boost::asio::ip::tcp::socket bind_tcp(const netns& ns, const std::string& address,
                                          std::uint16_t port);
    boost::asio::ip::tcp::acceptor listen(const netns& ns, const std::string& address,
                                          std::uint16_t port);

    // Both ends of a connection from a, at 192.0.2.1, to b.
    std::pair<boost::asio::ip::tcp::socket, boost::asio::ip::tcp::socket>
    connect(std::uint16_t from_port, std::uint16_t to_port);
};

void send(boost::asio::ip::udp::socket& from, const boost::asio::ip::udp::socket& to,
          std::size_t size);
void receive(boost::asio::ip::udp::socket& s);

// Three datagrams of 100 bytes there, two of 50 back.
void exchange(boost::asio::ip::udp::socket& a, boost::asio::ip::udp::socket& b);

// Waits until conntrack has seen the end of all TCP connections that it lists for these arguments:
// then nobody owes a packet.
void closed(watch& w, const netns& ns, const std::string& conntrack_arguments);

// The one destroy event among those that `mine` lets through, once it is there; fails if there
// are more.
event only_destroy(watch& w, const watch::filter& mine);

// Deletes the one flow that conntrack finds with these arguments: it must have one destroy event,
// with the counters that conntrack listed last. Returns that.
event check_destroy(watch& w, const netns& ns, const watch::filter& mine,
                    const std::string& conntrack_arguments);

// That nothing was lost or left out, anywhere.
void check_nothing_lost(const watch& w);

} // namespace ctflow::test
