// SPDX-License-Identifier: Apache-2.0
#include "filter/evaluate.hpp"

#include "filter/nodes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ctflow {
namespace filtering {
namespace {

using address_bytes = std::array<std::uint8_t, 16>;

address_bytes bytes_of(const unsigned long long (&words)[2]) noexcept {
    address_bytes bytes;
    std::memcpy(bytes.data(), words, bytes.size());
    return bytes;
}

bool is_family(const ctflow_filter_subject& s, std::uint64_t version) noexcept {
    return s.family == (version == 4 ? CTFLOW_FAMILY_IPV4 : CTFLOW_FAMILY_IPV6);
}

bool has_ports(const ctflow_filter_subject& s) noexcept {
    ctflow_record r{};
    r.proto = s.proto;
    return event(r).has_ports();
}

bool is_in_net(const filter_node& n, const address_bytes& a) noexcept {
    const auto whole = static_cast<std::ptrdiff_t>(n.second / 8);
    const auto rest = n.second % 8;
    if (!std::equal(a.begin(), a.begin() + whole, n.address.begin())) {
        return false;
    }
    const auto at = static_cast<std::size_t>(whole);
    return rest == 0 || a[at] >> (8 - rest) == n.address[at] >> (8 - rest);
}

bool passes(const filter_node& n, const ctflow_filter_subject& s) noexcept {
    const auto in_net = [&](const auto& words) {
        return is_in_net(n, bytes_of(words));
    };
    const auto in_ports = [&](std::uint64_t port) {
        return n.first <= port && port <= n.second;
    };
    const auto end = static_cast<flow_end>(n.end);
    const bool src = end != flow_end::dst;
    const bool dst = end != flow_end::src;
    switch (n.op) {
    case filter_op::family:
        return is_family(s, n.first);
    case filter_op::proto:
        return s.proto == n.first;
    case filter_op::net:
        return is_family(s, n.first) &&
               ((src && in_net(s.src_addr)) || (dst && in_net(s.dst_addr)));
    case filter_op::port:
        return has_ports(s) && ((src && in_ports(s.src_port)) || (dst && in_ports(s.dst_port)));
    case filter_op::mark:
        return (s.mark & n.second) == n.first;
    case filter_op::zone:
        return s.zone == n.first;
    case filter_op::netns:
        return s.netns == n.first;
    case filter_op::bytes:
        return s.bytes >= n.first;
    case filter_op::packets:
        return s.packets >= n.first;
    case filter_op::age:
        return s.age >= n.first;
    default:
        return false;
    }
}

// The operands of an operator: the last results.
bool combined(const filter_node& n, const bool* from, const bool* to) noexcept {
    switch (n.op) {
    case filter_op::all_of:
        return std::find(from, to, false) == to;
    case filter_op::any_of:
        return std::find(from, to, true) != to;
    default:
        return !*from;
    }
}

} // namespace

bool evaluate(const filter& f, const ctflow_filter_subject& s) noexcept {
    const auto& nodes = filter_access::nodes(f);
    std::array<bool, filter::tests_limit> results; // Operators leave fewer than they find.
    auto* end = results.data();
    for (const auto& n : nodes) {
        auto* const begin = end - n.operands;
        *begin = is_test(n) ? passes(n, s) : combined(n, begin, end);
        end = begin + 1;
    }
    return nodes.empty() || results.front();
}

ctflow_filter_subject subject_of(const event& e, std::uint64_t age) noexcept {
    ctflow_filter_subject s{};
    filter_describe(&s, &e.record(), e.zone(), age);
    return s;
}

std::uint64_t age_of(const event& e) noexcept {
    if (const auto lived = e.duration()) {
        return static_cast<std::uint64_t>(lived->count());
    }
    const auto age = e.time() - e.start();
    const bool known = e.start().time_since_epoch().count() != 0 && age.count() > 0;
    return known ? static_cast<std::uint64_t>(age.count()) : 0;
}

} // namespace filtering

bool filter::matches(const event& e) const noexcept {
    // It takes two looks at the clocks: for those that ask for it.
    const bool asked =
        std::ranges::find(nodes_, detail::filter_op::age, &detail::filter_node::op) != nodes_.end();
    const auto age = asked ? filtering::age_of(e) : 0;
    return filtering::evaluate(*this, filtering::subject_of(e, age));
}

} // namespace ctflow
