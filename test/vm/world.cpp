// SPDX-License-Identifier: Apache-2.0
#include "vm/world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <vector>

namespace ctflow::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::make_address;
using asio::ip::tcp;
using asio::ip::udp;

udp::socket world::bind_udp(const netns& ns, const std::string& address, std::uint16_t port) {
    const netns::inside in(ns);
    return {sockets, udp::endpoint(make_address(address), port)};
}

tcp::socket world::bind_tcp(const netns& ns, const std::string& address, std::uint16_t port) {
    const netns::inside in(ns);
    return {sockets, tcp::endpoint(make_address(address), port)};
}

tcp::acceptor world::listen(const netns& ns, const std::string& address, std::uint16_t port) {
    const netns::inside in(ns);
    return {sockets, tcp::endpoint(make_address(address), port)};
}

std::pair<tcp::socket, tcp::socket> world::connect(std::uint16_t from_port, std::uint16_t to_port) {
    auto acceptor = listen(net.b, "192.0.2.2", to_port);
    auto client = bind_tcp(net.a, "192.0.2.1", from_port);
    client.connect(acceptor.local_endpoint()); // Waits for b's kernel alone.
    auto server = acceptor.accept();
    return {std::move(client), std::move(server)};
}

void send(udp::socket& from, const udp::socket& to, std::size_t size) {
    from.send_to(asio::buffer(std::string(size, 'x')), to.local_endpoint());
}

void receive(udp::socket& s) {
    std::vector<char> buffer(65536);
    udp::endpoint from;
    s.receive_from(asio::buffer(buffer), from);
}

void exchange(udp::socket& a, udp::socket& b) {
    for (int i = 0; i < 3; ++i) {
        send(a, b, 100);
        receive(b);
        if (i < 2) {
            send(b, a, 50);
            receive(a);
        }
    }
}

void closed(watch& w, const netns& ns, const std::string& conntrack_arguments) {
    w.until("all connections to close", [&] {
        return ns.run("sh -c 'conntrack -L " + conntrack_arguments +
                      " 2>/dev/null | grep -vcE \"TIME_WAIT|CLOSE \" || true'") == "0\n";
    });
}

event only_destroy(watch& w, const watch::filter& mine) {
    const auto destroyed = mine && of_kind(event_kind::destroy);
    w.until("the end of the flow", [&] { return w.count(destroyed) > 0; });
    w.idle(100ms);
    const auto events = w.select(destroyed);
    BOOST_REQUIRE_EQUAL(events.size(), 1U);
    return events[0];
}

event check_destroy(watch& w, const netns& ns, const watch::filter& mine,
                    const std::string& conntrack_arguments) {
    const auto last = list_flow(ns, conntrack_arguments);
    ns.run("conntrack -D " + conntrack_arguments);
    const event e = only_destroy(w, in_netns(ns.inode()) && mine);
    BOOST_TEST(e.packets_orig() == last.packets_orig);
    BOOST_TEST(e.bytes_orig() == last.bytes_orig);
    BOOST_TEST(e.packets_ret() == last.packets_ret);
    BOOST_TEST(e.bytes_ret() == last.bytes_ret);
    return e;
}

void check_nothing_lost(const watch& w) {
    const auto s = w.stats();
    BOOST_TEST(s.perf_events_update_lost == 0U);
    BOOST_TEST(s.perf_events_destroy_lost == 0U);
    BOOST_TEST(s.updates_without_ring == 0U);
    BOOST_TEST(s.perf_records_malformed == 0U);
    BOOST_TEST(s.events_unaccounted == 0U);
    BOOST_TEST(w.received().events_lost == 0U);
    BOOST_TEST(s.perf_events_total == w.received().events_received);
}

} // namespace ctflow::test
