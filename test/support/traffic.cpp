// SPDX-License-Identifier: Apache-2.0
//
// ctflow_traffic: makes flows of exactly known size, since conntrack counts what is really sent.
// A server prints "ready" when a client may begin. All exit with 0 when they got what they were
// told to expect, else with 1 and a line on stderr.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;

namespace {

constexpr const char* usage =
    R"(usage: ctflow_traffic udp-server ADDRESS PORT RECEIVE REPLY SIZE
       ctflow_traffic udp-client ADDRESS PORT SEND RECEIVE SIZE [SOURCE_PORT]
       ctflow_traffic tcp-server ADDRESS PORT BYTES
       ctflow_traffic tcp-client ADDRESS PORT BYTES [SOURCE_PORT]

udp-server receives RECEIVE datagrams, then sends REPLY of SIZE bytes to the
last sender; udp-client sends SEND of SIZE bytes and receives RECEIVE.
tcp-server accepts one connection and reads it to its end, which must come
after BYTES; tcp-client sends BYTES and waits for the server to close.
All give up after 20 seconds.
)";

struct bad_usage {};

template <class Number>
Number number(std::string_view text) {
    Number value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) {
        throw bad_usage();
    }
    return value;
}

void expect(std::size_t wanted, std::size_t got) {
    if (wanted != got) {
        throw std::runtime_error("wanted " + std::to_string(wanted) + " bytes, got " +
                                 std::to_string(got));
    }
}

void ready() {
    std::puts("ready");
    std::fflush(stdout);
}

void send(udp::socket& socket, const udp::endpoint& to, std::size_t count, std::size_t size) {
    const std::vector<char> datagram(size, 'x');
    for (std::size_t i = 0; i != count; ++i) {
        socket.send_to(asio::buffer(datagram), to);
    }
}

udp::endpoint receive(udp::socket& socket, std::size_t count) {
    udp::endpoint from;
    std::vector<char> datagram(65536);
    for (std::size_t i = 0; i != count; ++i) {
        socket.receive_from(asio::buffer(datagram), from);
    }
    return from;
}

void run(asio::io_context& context, const std::vector<std::string>& words) {
    if (words.size() < 4) {
        throw bad_usage();
    }
    const std::string& what = words[0];
    const auto address = asio::ip::make_address(words[1]);
    const auto port = number<std::uint16_t>(words[2]);
    const auto first = number<std::size_t>(words[3]);

    if (what == "udp-server" && words.size() == 6) {
        udp::socket socket(context, udp::endpoint(address, port));
        ready();
        const auto from = receive(socket, first);
        send(socket, from, number<std::size_t>(words[4]), number<std::size_t>(words[5]));
    } else if (what == "udp-client" && (words.size() == 6 || words.size() == 7)) {
        const udp::endpoint to(address, port);
        const auto source = words.size() == 7 ? number<std::uint16_t>(words[6]) : std::uint16_t{0};
        udp::socket socket(context, udp::endpoint(to.protocol(), source));
        send(socket, to, first, number<std::size_t>(words[5]));
        receive(socket, number<std::size_t>(words[4]));
    } else if (what == "tcp-server" && words.size() == 4) {
        tcp::acceptor acceptor(context, tcp::endpoint(address, port));
        ready();
        auto socket = acceptor.accept();
        std::vector<char> data(first + 1); // One more than there is, to see the end.
        boost::system::error_code end;
        expect(first, asio::read(socket, asio::buffer(data), end));
    } else if (what == "tcp-client" && (words.size() == 4 || words.size() == 5)) {
        const tcp::endpoint to(address, port);
        tcp::socket socket(context, to.protocol());
        if (words.size() == 5) {
            socket.set_option(tcp::socket::reuse_address(true));
            socket.bind(tcp::endpoint(to.protocol(), number<std::uint16_t>(words[4])));
        }
        socket.connect(to);
        asio::write(socket, asio::buffer(std::vector<char>(first, 'x')));
        socket.shutdown(tcp::socket::shutdown_send);
        std::vector<char> data(1);
        boost::system::error_code end;
        expect(0, asio::read(socket, asio::buffer(data), end));
    } else {
        throw bad_usage();
    }
}

} // namespace

int main(int argc, char** argv) {
    alarm(20); // Blocking calls need no more than this: SIGALRM ends the process.
    try {
        asio::io_context context(1);
        run(context, {argv + 1, argv + argc});
        return 0;
    } catch (const bad_usage&) {
        std::fputs(usage, stderr);
        return 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "ctflow_traffic: %s\n", e.what());
        return 1;
    }
}
