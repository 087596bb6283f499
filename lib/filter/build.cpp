// SPDX-License-Identifier: Apache-2.0
#include "filter/nodes.hpp"
#include "filter/tests.hpp"

#include <ctflow/filter.hpp>

#include <stdexcept>
#include <utility>

namespace ctflow {
namespace {

using filtering::filter_access;
using filtering::filter_node;
using filtering::filter_op;
using filtering::number_test;

filter of(const filter_node& test) {
    return filter_access::make({test});
}

void require(bool holds, const char* what) {
    if (!holds) {
        throw std::invalid_argument(what);
    }
}

filter checked(filtering::postfix nodes) {
    if (const auto why = filtering::excess(nodes)) {
        throw system_error(errc::filter_too_long, why);
    }
    return filter_access::make(std::move(nodes));
}

filter combine(filter a, filter_op op, const filter& b) {
    auto nodes = filter_access::take(a);
    filtering::join(nodes, op, filter_access::nodes(b));
    return checked(std::move(nodes));
}

} // namespace

filter operator&&(filter a, const filter& b) {
    return combine(std::move(a), filter_op::all_of, b);
}

filter operator||(filter a, const filter& b) {
    return combine(std::move(a), filter_op::any_of, b);
}

filter operator!(filter a) {
    auto nodes = filter_access::take(a);
    filtering::negate(nodes);
    return checked(std::move(nodes));
}

namespace filters {

filter ip() {
    return of(number_test(filter_op::family, 4));
}

filter ip6() {
    return of(number_test(filter_op::family, 6));
}

filter proto(std::uint32_t number) {
    require(number <= 255, "ctflow::filters::proto: a protocol is 0 to 255");
    return of(number_test(filter_op::proto, number));
}

filter host(const boost::asio::ip::address& address, flow_end end) {
    return of(filtering::net_test(address, filtering::address_bits(address), end));
}

filter net(const boost::asio::ip::address& address, std::uint32_t prefix_length, flow_end end) {
    require(prefix_length <= filtering::address_bits(address),
            "ctflow::filters::net: the prefix is longer than the address");
    require(filtering::is_prefix(address, prefix_length),
            "ctflow::filters::net: the address has bits beyond the prefix");
    return of(filtering::net_test(address, prefix_length, end));
}

filter port(std::uint32_t number, flow_end end) {
    return ports(number, number, end);
}

filter ports(std::uint32_t first, std::uint32_t last, flow_end end) {
    require(last <= 65535, "ctflow::filters::ports: a port is 0 to 65535");
    require(first <= last, "ctflow::filters::ports: the first is above the last");
    return of(number_test(filter_op::port, first, last, end));
}

filter mark(std::uint32_t value, std::uint32_t mask) {
    require((value & ~mask) == 0, "ctflow::filters::mark: the value has bits outside of the mask");
    return of(number_test(filter_op::mark, value, mask));
}

filter zone(std::uint32_t number) {
    require(number <= 65535, "ctflow::filters::zone: a zone is 0 to 65535");
    return of(number_test(filter_op::zone, number));
}

filter netns(std::uint32_t inode) {
    return of(number_test(filter_op::netns, inode));
}

filter at_least_bytes(std::uint64_t number) {
    return of(number_test(filter_op::bytes, number));
}

filter at_least_packets(std::uint64_t number) {
    return of(number_test(filter_op::packets, number));
}

filter at_least_age(std::chrono::nanoseconds age) {
    require(age.count() >= 0 && age <= filter::age_limit,
            "ctflow::filters::at_least_age: an age is zero to a hundred years");
    return of(number_test(filter_op::age, static_cast<std::uint64_t>(age.count())));
}

} // namespace filters

} // namespace ctflow
