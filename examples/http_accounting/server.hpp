// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>

namespace http_accounting {

/// An HTTP/1.1 server, on an executor that one thread runs at a time. Knows nothing of flows.
class server {
public:
    using request = boost::beast::http::request<boost::beast::http::string_body>;
    using response = boost::beast::http::response<boost::beast::http::string_body>;

    /// In bytes.
    static constexpr std::uint32_t header_limit = 8192;
    static constexpr std::uint64_t body_limit = 8192;
    /// Connections at a time. Who comes then waits to be accepted.
    static constexpr std::size_t most_connections = 512;

    /// @param patience  for a whole request, and for a whole response
    server(boost::asio::ip::tcp::acceptor acceptor, std::function<response(const request&)> respond,
           std::chrono::nanoseconds patience = std::chrono::seconds(30))
        : acceptor_(std::move(acceptor)), room_(acceptor_.get_executor()),
          respond_(std::move(respond)), patience_(patience) {}

    /// Where it listens.
    boost::asio::ip::tcp::endpoint local_endpoint() const { return acceptor_.local_endpoint(); }

    /// Accepts and serves until stop().
    boost::asio::awaitable<void> run();

    /// Accepts no more, and closes connections that wait for a request. Others get their response
    /// first.
    void stop();

private:
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer room_; // Cancelled when a connection ends.
    std::function<response(const request&)> respond_;
    std::chrono::nanoseconds patience_;
    std::set<boost::beast::tcp_stream*> idle_; // Those that wait for a request.
    std::size_t connections_ = 0;
    bool stopped_ = false;
};

} // namespace http_accounting
