// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "idle.hpp"
#include "options.hpp"
#include "subjects/round.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ctflow::bench {

// All rounds of a variant at one rate.
struct row {
    const variant* of;
    std::uint64_t rate;
    books account;
    std::vector<std::int64_t> latencies;
    std::vector<std::string> faults;

    void add(const round_result& r);
    void sort();
};

std::string as_markdown(const options& o, const std::vector<row>& rows,
                        const std::vector<idle_result>& idle);
std::string as_json(const options& o, const std::vector<row>& rows,
                    const std::vector<idle_result>& idle);

} // namespace ctflow::bench
