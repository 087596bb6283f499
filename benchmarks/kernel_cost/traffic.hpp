// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/netns.hpp"

#include <array>
#include <cstddef>

#include <netinet/in.h>
#include <sys/socket.h>

namespace ctflow::kernel_cost {

// UDP packets in a network namespace where conntrack counts each of them exactly once. They leave
// by a dummy device, which drops them right after conntrack: there is no receiver to wake up, no
// softirq, no ARP and no ICMP error, and the cost without a probe is small and steady.
class traffic {
public:
    // Prepares conntrack for so many flows, and makes them, in a zone of theirs or in none.
    traffic(std::size_t most_flows, bool zoned);
    ~traffic();
    traffic(const traffic&) = delete;
    traffic& operator=(const traffic&) = delete;

    // From here on packets go round so many of the flows, each in turn.
    void choose(std::size_t flows) noexcept;
    void send(std::size_t packets);

    // Where they are sent.
    const test::netns& where() const noexcept { return netns_; }

private:
    static constexpr std::size_t batch = 50;

    // These two are the host's, not a namespace's. With as many buckets as flows the kernel's own
    // look-up costs about the same whatever their number.
    test::scoped_sysctl most_;
    test::scoped_sysctl buckets_;
    test::netns netns_;
    int socket_;
    std::size_t flows_;
    std::size_t next_ = 0;
    std::size_t stride_ = 1;
    std::array<sockaddr_in, batch> addresses_{};
    std::array<mmsghdr, batch> messages_{};
    iovec payload_;
};

} // namespace ctflow::kernel_cost
