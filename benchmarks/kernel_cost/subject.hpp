// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "programs.hpp"
#include "scene.hpp"
#include "traffic.hpp"

#include <ctflow/ctflow.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace ctflow::kernel_cost {

// What is measured: packets with a probe attached in one way, or with none.
class subject {
public:
    subject() = default; // none
    // Throws ctflow::system_error.
    subject(attach_mode attach, const scene& what, std::size_t most_flows);

    struct sample {
        double whole = 0; // per packet, the sending included
        double programs = 0;
        std::uint64_t lost = 0;
        std::uint64_t missed = 0;
    };
    // One round: attaches, has all flows pass by once, measures, detaches.
    sample round(traffic& t, std::size_t flows, std::size_t packets);

    const std::vector<program>& programs() const noexcept { return programs_; }

private:
    std::int64_t timed(traffic& t, std::size_t packets);
    double program_cost(traffic& t, std::size_t packets);
    void expect(std::uint64_t events, const probe_stats& before) const;

    boost::asio::io_context context_;
    std::optional<probe> probe_;
    bool emitting_ = false;
    std::vector<program> programs_;
};

} // namespace ctflow::kernel_cost
