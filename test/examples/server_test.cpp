// SPDX-License-Identifier: Apache-2.0
#include "http_accounting/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;
using web_server = http_accounting::server;

namespace {

web_server::response respond(const web_server::request& q) {
    if (q.target() == "/fails") {
        throw std::runtime_error("it fails");
    }
    web_server::response r(http::status::ok, q.version());
    r.keep_alive(q.keep_alive());
    r.body() = std::string(q.method_string()) + ' ' + std::string(q.target()) + '\n';
    r.prepare_payload();
    return r;
}

// A server, and who asks it by bytes, in one context.
struct world {
    explicit world(std::chrono::nanoseconds patience = 20s)
        : of(tcp::acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), respond,
             patience) {}

    // Sends each part when the one before has been answered, if at all, and returns all that comes
    // until the server closes. With `stops` the server is told to stop when it has come so far.
    std::string ask(const std::vector<std::string>& parts, bool stops = false) {
        std::string heard;
        asio::co_spawn(context, of.run(), rethrow);
        asio::co_spawn(context, talk(parts, stops, heard), rethrow);
        context.run_for(20s);
        BOOST_TEST(context.stopped()); // Nobody waits for anything any more.
        return heard;
    }

private:
    static void rethrow(const std::exception_ptr& e) {
        if (e) {
            std::rethrow_exception(e);
        }
    }

    asio::awaitable<void> talk(std::vector<std::string> parts, bool stops, std::string& heard) {
        tcp::socket socket(context);
        co_await socket.async_connect(of.local_endpoint(), asio::use_awaitable);
        std::string answer(65536, '\0');
        for (const auto& part : parts) {
            co_await asio::async_write(socket, asio::buffer(part), asio::use_awaitable);
            const auto [ec, n] = co_await socket.async_read_some(
                asio::buffer(answer), asio::as_tuple(asio::use_awaitable));
            heard.append(answer, 0, n);
            if (ec) {
                heard += "<closed>";
                of.stop();
                co_return;
            }
        }
        if (stops) {
            of.stop();
        }
        const auto [ec, n] = co_await asio::async_read(socket, asio::buffer(answer),
                                                       asio::as_tuple(asio::use_awaitable));
        heard.append(answer, 0, n);
        if (!stops) {
            of.stop();
        }
    }

    asio::io_context context{1};
    web_server of;
};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(server)

BOOST_AUTO_TEST_CASE(one_connection_for_several_requests) {
    const auto heard =
        world().ask({"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD /2 HTTP/1.1\r\nHost: a\r\n\r\n",
                     "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"});
    BOOST_TEST(has(heard, "GET /1\n"));
    BOOST_TEST(has(heard, "HEAD /2\n"));
    BOOST_TEST(has(heard, "GET /3\n"));
}

BOOST_AUTO_TEST_CASE(requests_at_once_and_one_in_pieces) {
    BOOST_TEST(has(world().ask({"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"}), "GET /2\n"));
}

BOOST_AUTO_TEST_CASE(http_1_0_closes) {
    const auto heard = world().ask({"GET /old HTTP/1.0\r\n\r\n"});
    BOOST_TEST(has(heard, "GET /old\n"));
}

BOOST_AUTO_TEST_CASE(what_is_no_request) {
    BOOST_TEST(has(world().ask({"RUBBISH\r\n\r\n"}), "HTTP/1.1 400 Bad Request\r\n"));
    BOOST_TEST(has(world().ask({"GET / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"}),
                   "HTTP/1.1 431 "));
    BOOST_TEST(has(world().ask({"POST / HTTP/1.1\r\nContent-Length: 8193\r\n\r\n"}),
                   "HTTP/1.1 413 Payload Too Large\r\n"));
}

BOOST_AUTO_TEST_CASE(a_page_that_fails) {
    const auto heard = world().ask({"GET /fails HTTP/1.1\r\n\r\n"});
    BOOST_TEST(has(heard, "HTTP/1.1 500 Internal Server Error\r\n"));
}

BOOST_AUTO_TEST_CASE(who_says_nothing_is_not_waited_for) {
    BOOST_TEST(world(50ms).ask({}).empty());
    BOOST_TEST(world(50ms).ask({"GET / HT"}) == "<closed>");
    BOOST_TEST(has(world(50ms).ask({"GET /1 HTTP/1.1\r\n\r\n"}), "GET /1\n"));
}

BOOST_AUTO_TEST_CASE(stop_ends_connections_that_wait) {
    BOOST_TEST(has(world().ask({"GET /1 HTTP/1.1\r\n\r\n"}, true), "GET /1\n"));
    BOOST_TEST(world().ask({}, true).empty());
}

BOOST_AUTO_TEST_SUITE_END()
