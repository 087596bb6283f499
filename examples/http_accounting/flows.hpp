// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "common/flow_table.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace http_accounting {

/// A flow by the field names of the Elastic Common Schema (ECS): source.ip, destination.bytes,
/// network.transport and so on, nested. What ECS has no name for is below "ctflow".
boost::json::value to_json(const examples::flow& f);

/// The live flows that have moved most. They are looked for once a second at most, however often
/// they are asked for: that takes a while, in which no event is read.
class largest_flows {
public:
    using clock = std::chrono::steady_clock;

    /// @param most  how many can be asked for
    largest_flows(const examples::flow_table& flows, std::size_t most)
        : flows_(flows), most_(most) {}

    /// {"live":N,"flows":[...]}: how many there are, and the first of the largest.
    boost::json::value list(std::size_t wanted, clock::time_point now);

private:
    void look();

    const examples::flow_table& flows_;
    const std::size_t most_;
    std::optional<clock::time_point> looked_;
    std::size_t live_ = 0;
    std::vector<examples::flow> largest_;
};

} // namespace http_accounting
