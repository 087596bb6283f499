// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <exception>
#include <optional>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace http_accounting {
namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);

// What to say to who has sent something else than a request; nothing if nobody is there any more.
std::optional<http::status> refusal(const beast::error_code& ec) {
    if (ec == http::error::body_limit) {
        return http::status::payload_too_large;
    }
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
        return http::status::request_header_fields_too_large;
    }
    const bool gone = ec == http::error::end_of_stream || ec == http::error::partial_message;
    const bool not_http =
        ec.category() == http::make_error_code(http::error::bad_method).category();
    return not_http && !gone ? std::optional(http::status::bad_request) : std::nullopt;
}

server::response closing(http::status status) {
    server::response r(status, 11);
    r.keep_alive(false);
    r.prepare_payload();
    return r;
}

} // namespace

asio::awaitable<void> server::run() {
    while (!stopped_) {
        if (connections_ == most_connections) {
            room_.expires_at(asio::steady_timer::time_point::max());
            co_await room_.async_wait(token);
            continue;
        }
        auto [ec, socket] = co_await acceptor_.async_accept(token);
        if (!ec) {
            ++connections_;
            // A connection that fails takes nobody with it.
            asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)),
                           [this](const std::exception_ptr&) {
                               --connections_;
                               room_.cancel();
                           });
        } else if (!stopped_) {
            // Descriptors have run out, say: some will be closed.
            room_.expires_after(std::chrono::milliseconds(100));
            co_await room_.async_wait(token);
        }
    }
}

void server::stop() {
    stopped_ = true;
    acceptor_.close();
    room_.cancel();
    for (auto* stream : idle_) {
        stream->cancel();
    }
}

asio::awaitable<void> server::serve(tcp::socket socket) {
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer(header_limit + body_limit);
    bool goes_on = true;
    while (goes_on && !stopped_) {
        http::request_parser<http::string_body> parser;
        parser.header_limit(header_limit);
        parser.body_limit(body_limit);
        stream.expires_after(patience_);
        idle_.insert(&stream);
        const auto [unread, read] = co_await http::async_read(stream, buffer, parser, token);
        idle_.erase(&stream);

        response answer;
        if (!unread) {
            try {
                answer = respond_(parser.get());
            } catch (const std::exception&) {
                answer = closing(http::status::internal_server_error);
            }
        } else if (const auto status = refusal(unread)) {
            answer = closing(*status);
        } else {
            break; // They have gone, or been silent for too long, or we are to stop.
        }
        goes_on = answer.keep_alive();
        stream.expires_after(patience_);
        const auto [unwritten, written] = co_await http::async_write(stream, answer, token);
        goes_on = goes_on && !unwritten;
    }
    beast::error_code gone_already;
    stream.socket().shutdown(tcp::socket::shutdown_send, gone_already);
}

} // namespace http_accounting
