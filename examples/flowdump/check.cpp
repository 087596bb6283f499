// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include "quoted.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>

namespace flowdump {
namespace {

const char* name(ctflow::verdict v) {
    switch (v) {
    case ctflow::verdict::good:
        return "good";
    case ctflow::verdict::warning:
        return "warning";
    case ctflow::verdict::bad:
        break;
    }
    return "bad";
}

} // namespace

std::string to_json(const ctflow::condition& c) {
    return "{\"name\":" + quoted(c.name) + ",\"verdict\":" + quoted(name(c.verdict)) +
           ",\"finding\":" + quoted(c.finding) + ",\"remedy\":" + quoted(c.remedy) + '}';
}

std::string conclude(const ctflow::preflight_report& r) {
    if (!r.works()) {
        const bool elsewhere = std::ranges::all_of(r.conditions, [](const auto& c) {
            return c.verdict != ctflow::verdict::bad || c.this_namespace_only;
        });
        return elsewhere ? "No events of this network namespace until what is marked FAIL is "
                           "mended. Flows of others may have theirs."
                         : "No events here until what is marked FAIL is mended.";
    }
    const bool perfect = std::ranges::all_of(
        r.conditions, [](const auto& c) { return c.verdict == ctflow::verdict::good; });
    return perfect ? "flowdump works here." : "flowdump works here, but for what is marked WARN.";
}

int check(const options& o, std::ostream& out) {
    const auto report = ctflow::preflight(o.config, o.sysctl ? ctflow::sysctl_use::applied
                                                             : ctflow::sysctl_use::left_alone);
    for (const auto& condition : report.conditions) {
        out << (o.json ? to_json(condition) : to_string(condition)) << '\n';
    }
    if (!o.json) {
        out << conclude(report) << '\n';
    }
    out.flush();
    return report.works() && out ? 0 : 1;
}

} // namespace flowdump
