// SPDX-License-Identifier: Apache-2.0
#include "accounting.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <netinet/in.h>

namespace asio = boost::asio;

namespace http_accounting {

const char* to_string(transport t) noexcept {
    switch (t) {
    case transport::tcp:
        return "tcp";
    case transport::udp:
        return "udp";
    case transport::icmp:
        return "icmp";
    case transport::other:
        break;
    }
    return "other";
}

transport transport_of(std::uint8_t protocol) noexcept {
    switch (protocol) {
    case IPPROTO_TCP:
        return transport::tcp;
    case IPPROTO_UDP:
        return transport::udp;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return transport::icmp;
    default:
        return transport::other;
    }
}

void accounting::apply(std::span<const ctflow::event> events, ctflow::boot_clock::time_point now) {
    for (const auto& e : events) {
        const auto moved = flows_.apply(e);
        auto& sum = sums_[static_cast<std::size_t>(transport_of(e.proto()))];
        sum.packets_orig += moved.packets_orig;
        sum.bytes_orig += moved.bytes_orig;
        sum.packets_ret += moved.packets_ret;
        sum.bytes_ret += moved.bytes_ret;
        sum.ended += e.kind() == ctflow::event_kind::destroy ? 1 : 0;
    }
    flows_.forget_ended(now);
}

asio::awaitable<void> account(ctflow::consumer& consumer, accounting& books) {
    std::array<ctflow::event, 256> batch;
    for (;;) {
        const auto [ec, n] =
            co_await consumer.async_receive(batch, asio::as_tuple(asio::use_awaitable));
        if (ec) {
            co_return; // The probe has stopped, and this was all.
        }
        books.apply(std::span(batch).first(n), ctflow::boot_clock::now());
    }
}

} // namespace http_accounting
