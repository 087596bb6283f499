// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/event.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ctflow::test {

// When the flows of the tests began, and the tables that follow them.
inline constexpr std::chrono::sys_time<std::chrono::nanoseconds> epoch{
    std::chrono::seconds(1'700'000'000)};

// Makes events of a flow, one after the other, as the kernel would.
struct sample {
    std::string from = "192.0.2.1";
    std::string to = "192.0.2.2";
    std::uint16_t from_port = 40001;
    std::uint16_t to_port = 443;
    std::uint8_t proto = IPPROTO_TCP;
    std::uint64_t conntrack = 1;
    std::chrono::nanoseconds age{};   // Of the flow, at the event; boot time, too.
    std::chrono::nanoseconds start{}; // After the epoch.
    std::uint64_t packets_orig = 1;
    std::uint64_t bytes_orig = 60;
    std::uint64_t packets_ret = 0;
    std::uint64_t bytes_ret = 0;

    event update() const { return make(CTFLOW_RECORD_UPDATE); }
    event destroy() const { return make(CTFLOW_RECORD_DESTROY); }

    // With this many bytes so far, at this age.
    sample at(std::chrono::nanoseconds when, std::uint64_t orig, std::uint64_t ret) const {
        auto s = *this;
        s.age = when;
        s.bytes_orig = orig;
        s.bytes_ret = ret;
        return s;
    }

private:
    static void set(unsigned char (&out)[16], const boost::asio::ip::address& address) {
        if (address.is_v4()) {
            std::ranges::copy(address.to_v4().to_bytes(), out);
        } else {
            std::ranges::copy(address.to_v6().to_bytes(), out);
        }
    }

    event make(ctflow_record_kind kind) const {
        ctflow_record r{};
        const auto source = boost::asio::ip::make_address(from);
        r.family = source.is_v6() ? AF_INET6 : AF_INET;
        set(r.src_addr, source);
        set(r.dst_addr, boost::asio::ip::make_address(to));
        r.src_port = htons(from_port);
        r.dst_port = htons(to_port);
        r.proto = proto;
        r.tcp_state = (proto == IPPROTO_TCP ? 3 : 0) & 0xf; // ESTABLISHED
        r.conntrack = conntrack;
        r.start = static_cast<std::uint64_t>((epoch + start).time_since_epoch().count());
        r.timestamp = static_cast<std::uint64_t>(age.count());
        r.packets_orig = packets_orig;
        r.bytes_orig = bytes_orig;
        r.packets_ret = packets_ret;
        r.bytes_ret = bytes_ret;
        r.connmark = 7;
        r.netns = 4026531840;
        r.kind = static_cast<unsigned char>(kind) & 0xf;
        return event(r);
    }
};

} // namespace ctflow::test
