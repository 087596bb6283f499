// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "common/flow_table.hpp"

#include <ctflow/consumer.hpp>
#include <ctflow/event.hpp>

#include <boost/asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace http_accounting {

/// As far as metrics tell protocols apart: a handful, whatever the network carries.
enum class transport : std::uint8_t { tcp, udp, icmp, other };
inline constexpr std::array transports{transport::tcp, transport::udp, transport::icmp,
                                       transport::other};
const char* to_string(transport t) noexcept;
transport transport_of(std::uint8_t protocol) noexcept;

/// What all flows of a transport together have moved, those that have ended included.
struct totals {
    std::uint64_t packets_orig = 0;
    std::uint64_t bytes_orig = 0;
    std::uint64_t packets_ret = 0;
    std::uint64_t bytes_ret = 0;
    std::uint64_t ended = 0; ///< Flows.
};

/// The books: takes events, knows the live flows and the sums. Used by one thread at a time.
class accounting {
public:
    /// @param max_flows  that are followed at a time
    /// @param now  when accounting begins
    accounting(std::size_t max_flows, std::chrono::sys_time<std::chrono::nanoseconds> now)
        : flows_(max_flows, now) {}

    void apply(std::span<const ctflow::event> events, ctflow::boot_clock::time_point now);

    const examples::flow_table& flows() const noexcept { return flows_; }
    const totals& of(transport t) const noexcept { return sums_[static_cast<std::size_t>(t)]; }

private:
    examples::flow_table flows_;
    std::array<totals, transports.size()> sums_{};
};

/// Has the books receive what a consumer does, until that is closed.
boost::asio::awaitable<void> account(ctflow::consumer& consumer, accounting& books);

} // namespace http_accounting
