// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "filter_subject.h"
#include "support/netns.hpp"

#include <array>
#include <memory>

struct mnl_socket;

namespace ctflow::test {

// Puts flows into a namespace's table of conntrack, as ctnetlink lets one: they have no packets.
// Faster by far than a conntrack(8) for each.
class conntrack_insert {
public:
    explicit conntrack_insert(const netns& ns);
    ~conntrack_insert();
    conntrack_insert(const conntrack_insert&) = delete;
    conntrack_insert& operator=(const conntrack_insert&) = delete;

    // Addresses, ports (or an ICMP identifier in place of the first), mark and zone are those of
    // the subject. Throws if there is such a flow.
    void operator()(const ctflow_filter_subject& s);

private:
    struct closer {
        void operator()(mnl_socket* s) const noexcept;
    };
    std::unique_ptr<mnl_socket, closer> socket_;
    alignas(8) std::array<char, 8192> buffer_{};
};

} // namespace ctflow::test
