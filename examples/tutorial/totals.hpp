// SPDX-License-Identifier: Apache-2.0
//
// docs/tutorial.md, the second step: what each address has sent and received.
#pragma once

#include <ctflow/event.hpp>

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

class totals {
public:
    struct traffic {
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
    };

    void add(const ctflow::event& e) {
        auto& flow = flows_[{e.conntrack(), e.start()}];
        const auto there = growth(flow.bytes_orig, e.bytes_orig());
        const auto back = growth(flow.bytes_ret, e.bytes_ret());
        auto& source = peers_[e.src_addr()];
        source.sent += there;
        source.received += back;
        auto& destination = peers_[e.dst_addr()];
        destination.sent += back;
        destination.received += there;
        if (e.kind() == ctflow::event_kind::destroy) {
            flow.ended = e.timestamp();
        }
    }

    // Flows that ended a while ago will have no more events.
    void forget_ended() {
        const auto recently = ctflow::boot_clock::now() - std::chrono::seconds(10);
        std::erase_if(flows_, [&](const auto& each) {
            const auto& ended = each.second.ended;
            return ended && *ended < recently;
        });
    }

    const std::map<boost::asio::ip::address, traffic>& peers() const { return peers_; }

private:
    struct progress {
        std::uint64_t bytes_orig = 0;
        std::uint64_t bytes_ret = 0;
        std::optional<ctflow::boot_clock::time_point> ended;
    };
    using start_time = std::chrono::sys_time<std::chrono::nanoseconds>;

    // What came since the last event. An event that another has overtaken adds nothing.
    static std::uint64_t growth(std::uint64_t& known, std::uint64_t now) {
        return now > known ? now - std::exchange(known, now) : 0;
    }

    std::map<std::pair<std::uint64_t, start_time>, progress> flows_;
    std::map<boost::asio::ip::address, traffic> peers_;
};
