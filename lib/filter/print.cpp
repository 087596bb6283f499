// SPDX-License-Identifier: Apache-2.0
#include "event/protocols.hpp"
#include "filter/nodes.hpp"
#include "filter/tests.hpp"
#include "filter/values.hpp"

#include <ctflow/filter.hpp>

#include <array>
#include <charconv>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace ctflow {
namespace filtering {
namespace {

// A part of the text, and whether it is several tests, which take parentheses within others. Those
// of `and` in `or`, too, which a reader of pcap-filter's might take otherwise.
struct part {
    std::string text;
    bool several = false;
};

std::string enclosed(const part& p) {
    return p.several ? "(" + p.text + ")" : p.text;
}

std::string hexadecimal(std::uint64_t number) {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), number, 16).ptr;
    return "0x" + std::string(digits.data(), end);
}

std::string proto_text(std::uint64_t number) {
    const auto name = protocol_name(static_cast<std::uint8_t>(number));
    return "proto " + (name.empty() ? std::to_string(number) : std::string(name));
}

std::string net_text(const filter_node& n) {
    const auto address = address_of(n);
    if (n.second == address_bits(address)) {
        return "host " + address.to_string();
    }
    return "net " + address.to_string() + "/" + std::to_string(n.second);
}

std::string port_text(const filter_node& n) {
    const auto first = "port " + std::to_string(n.first);
    return n.first == n.second ? first : first + "-" + std::to_string(n.second);
}

std::string mark_text(const filter_node& n) {
    const auto mark = "mark " + hexadecimal(n.first);
    return n.second == 0xffffffff ? mark : mark + "/" + hexadecimal(n.second);
}

const char* end_text(const filter_node& n) {
    switch (static_cast<flow_end>(n.end)) {
    case flow_end::src:
        return "src ";
    case flow_end::dst:
        return "dst ";
    case flow_end::either:
        break;
    }
    return "";
}

std::string test_text(const filter_node& n) {
    switch (n.op) {
    case filter_op::family:
        return n.first == 4 ? "ip" : "ip6";
    case filter_op::proto:
        return proto_text(n.first);
    case filter_op::net:
        return end_text(n) + net_text(n);
    case filter_op::port:
        return end_text(n) + port_text(n);
    case filter_op::mark:
        return mark_text(n);
    case filter_op::zone:
        return "zone " + std::to_string(n.first);
    case filter_op::netns:
        return "netns " + std::to_string(n.first);
    case filter_op::bytes:
        return "bytes >= " + amount_text(n.first);
    case filter_op::packets:
        return "packets >= " + amount_text(n.first);
    case filter_op::age:
        return "age >= " + age_text(n.first);
    default:
        return "not all";
    }
}

part row(const std::vector<part>& parts, std::size_t from, const char* between) {
    part out{enclosed(parts[from]), true};
    for (auto i = from + 1; i < parts.size(); ++i) {
        out.text += between + enclosed(parts[i]);
    }
    return out;
}

part text_of(const filter_node& n, const std::vector<part>& parts, std::size_t from) {
    switch (n.op) {
    case filter_op::all_of:
        return row(parts, from, " and ");
    case filter_op::any_of:
        return row(parts, from, " or ");
    case filter_op::negation:
        return {"not " + enclosed(parts[from])};
    default:
        return {test_text(n)};
    }
}

} // namespace
} // namespace filtering

std::string to_string(const filter& f) {
    const auto& nodes = filtering::filter_access::nodes(f);
    if (nodes.empty()) {
        return "all";
    }
    std::vector<filtering::part> parts;
    for (const auto& n : nodes) {
        const auto from = parts.size() - n.operands;
        auto text = filtering::text_of(n, parts, from);
        parts.resize(from);
        parts.push_back(std::move(text));
    }
    return std::move(parts.back().text);
}

std::ostream& operator<<(std::ostream& os, const filter& f) {
    return os << to_string(f);
}

} // namespace ctflow
