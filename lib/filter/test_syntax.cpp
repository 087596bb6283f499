// SPDX-License-Identifier: Apache-2.0
#include "filter/test_syntax.hpp"

#include "event/protocols.hpp"
#include "filter/tests.hpp"
#include "filter/values.hpp"

#include <limits>
#include <optional>
#include <string>

namespace ctflow::filtering {
namespace {

// A word, and what it means to one of the functions of values.hpp.
template <class Read>
auto value(cursor& c, const Read& read, const std::string& what) {
    auto v = c.now().kind == token_kind::word ? read(c.now().text) : std::nullopt;
    if (v) {
        c.advance();
    } else {
        c.expected(what);
    }
    return v;
}

bool add(postfix& out, const filter_node& test) {
    out.push_back(test);
    return true;
}

bool read_proto(cursor& c, postfix& out) {
    const auto read = [](std::string_view word) -> std::optional<std::uint64_t> {
        const auto number = protocol_number(word);
        return number ? *number : to_number(word, 255);
    };
    const auto number = value(
        c, read, "a protocol (tcp, udp, icmp, icmpv6, sctp, dccp, gre, udplite, or 0 to 255)");
    return number && add(out, number_test(filter_op::proto, *number));
}

bool read_host(cursor& c, flow_end end, postfix& out) {
    const auto address = value(c, to_address, "an IPv4 or IPv6 address");
    return address && add(out, net_test(*address, address_bits(*address), end));
}

bool read_net(cursor& c, flow_end end, postfix& out) {
    const auto word = c.now();
    const auto net = value(c, to_prefix, "a prefix such as 10.0.0.0/8 or 2001:db8::/32");
    if (!net) {
        return false;
    }
    if (!is_prefix(net->address, net->length)) {
        const auto meant = prefix_of(net->address, net->length).to_string();
        return c.fail(errc::filter_syntax, word.position,
                      std::string(word.text) + " has bits beyond its prefix: " + meant + "/" +
                          std::to_string(net->length) + " was probably meant");
    }
    return add(out, net_test(net->address, net->length, end));
}

struct port_range {
    std::uint64_t first;
    std::uint64_t last;
};

std::optional<port_range> to_ports(std::string_view word) {
    constexpr std::uint64_t most = 65535;
    const auto dash = word.find('-');
    const auto first = to_number(word.substr(0, dash), most);
    const auto last = dash == word.npos ? first : to_number(word.substr(dash + 1), most);
    return first && last ? std::optional(port_range{*first, *last}) : std::nullopt;
}

bool read_port(cursor& c, flow_end end, postfix& out) {
    const auto position = c.now().position;
    const auto ports = value(c, to_ports, "a port (0 to 65535) or a range of them such as 1-1023");
    if (!ports) {
        return false;
    }
    if (ports->first > ports->last) {
        return c.fail(errc::filter_syntax, position,
                      "the range runs backwards: " + std::to_string(ports->last) + "-" +
                          std::to_string(ports->first) + " was probably meant");
    }
    return add(out, number_test(filter_op::port, ports->first, ports->last, end));
}

struct masked {
    std::uint32_t value;
    std::uint32_t mask;
};

std::optional<masked> to_masked(std::string_view word) {
    const auto slash = word.find('/');
    const auto number = to_mark(word.substr(0, slash));
    const auto mask = slash == word.npos ? std::numeric_limits<std::uint32_t>::max()
                                         : to_mark(word.substr(slash + 1));
    return number && mask ? std::optional(masked{*number, *mask}) : std::nullopt;
}

bool read_mark(cursor& c, postfix& out) {
    const auto position = c.now().position;
    const auto mark = value(c, to_masked, "a mark of 32 bits such as 7, 0x10 or 0x10/0xff");
    if (!mark) {
        return false;
    }
    if ((mark->value & ~mark->mask) != 0) {
        return c.fail(errc::filter_syntax, position,
                      "the mark has bits outside of its mask: no flow can have it");
    }
    return add(out, number_test(filter_op::mark, mark->value, mark->mask));
}

bool read_number(cursor& c, filter_op op, std::uint64_t most, const char* what, postfix& out) {
    const auto read = [&](std::string_view word) {
        return to_number(word, most);
    };
    const auto number = value(c, read, what);
    return number && add(out, number_test(op, *number));
}

template <class Read>
bool read_least(cursor& c, filter_op op, const Read& read, const char* what, postfix& out) {
    const bool below = c.take(token_kind::below);
    if (!below && !c.take(token_kind::at_least)) {
        return c.expected(">= or <");
    }
    const auto number = value(c, read, what);
    if (!number) {
        return false;
    }
    add(out, number_test(op, *number));
    if (below) {
        negate(out);
    }
    return true;
}

std::optional<flow_end> read_end(cursor& c) {
    if (c.take("src")) {
        return flow_end::src;
    }
    return c.take("dst") ? std::optional(flow_end::dst) : std::nullopt;
}

bool expected_test(cursor& c) {
    if (protocol_number(c.now().text)) {
        const std::string name(c.now().text);
        return c.fail(errc::filter_syntax, c.now().position,
                      "expected a test, not \"" + name + "\": of a protocol it is \"proto " + name +
                          "\"");
    }
    return c.expected("a test (all, ip, ip6, proto, src, dst, host, net, port, mark, zone, netns, "
                      "bytes, packets, age)");
}

} // namespace

bool read_test(cursor& c, postfix& out) {
    static constexpr const char* amount = "a number of 64 bits, perhaps with k, M or G";
    const auto end = read_end(c);
    const auto either = end.value_or(flow_end::either);
    if (c.take("host")) {
        return read_host(c, either, out);
    }
    if (c.take("net")) {
        return read_net(c, either, out);
    }
    if (c.take("port")) {
        return read_port(c, either, out);
    }
    if (end) {
        return c.expected("host, net or port");
    }
    if (c.take("all")) {
        return true;
    }
    if (c.take("ip")) {
        return add(out, number_test(filter_op::family, 4));
    }
    if (c.take("ip6")) {
        return add(out, number_test(filter_op::family, 6));
    }
    if (c.take("proto")) {
        return read_proto(c, out);
    }
    if (c.take("mark")) {
        return read_mark(c, out);
    }
    if (c.take("zone")) {
        return read_number(c, filter_op::zone, 65535, "a zone (0 to 65535)", out);
    }
    if (c.take("netns")) {
        return read_number(c, filter_op::netns, std::numeric_limits<std::uint32_t>::max(),
                           "a network namespace's inode (a number of 32 bits)", out);
    }
    if (c.take("bytes")) {
        return read_least(c, filter_op::bytes, to_amount, amount, out);
    }
    if (c.take("packets")) {
        return read_least(c, filter_op::packets, to_amount, amount, out);
    }
    if (c.take("age")) {
        return read_least(c, filter_op::age, to_age,
                          "a time such as 10s (ns, us, ms, s, m or h; a hundred years at most)",
                          out);
    }
    return expected_test(c);
}

} // namespace ctflow::filtering
