// SPDX-License-Identifier: Apache-2.0
#include "preflight/gather.hpp"
#include "preflight/judge.hpp"

#include <ctflow/preflight.hpp>

#include <algorithm>
#include <ostream>

namespace ctflow {

bool preflight_report::works() const noexcept {
    return std::ranges::none_of(conditions,
                                [](const auto& each) { return each.verdict == verdict::bad; });
}

preflight_report preflight(const config& c, sysctl_use s) {
    auto facts = checks::gather(c);
    facts.sysctls_applied = s == sysctl_use::applied;
    if (checks::worth_trying(facts, c)) {
        facts.load = checks::try_to_load(checks::sizes_to_try(facts, c));
    }
    return checks::judge(facts, c);
}

const char* to_string(verdict v) noexcept {
    switch (v) {
    case verdict::good:
        return "ok";
    case verdict::warning:
        return "WARN";
    case verdict::bad:
        break;
    }
    return "FAIL";
}

std::string to_string(const condition& c) {
    std::string line = to_string(c.verdict);
    line.resize(6, ' ');
    line += c.name;
    line.resize(std::max<std::size_t>(line.size() + 1, 20), ' ');
    line += c.finding;
    if (!c.remedy.empty()) {
        line += " -> " + c.remedy;
    }
    return line;
}

std::ostream& operator<<(std::ostream& os, const condition& c) {
    return os << to_string(c);
}

} // namespace ctflow
