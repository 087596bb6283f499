// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>
#include <ctflow/detail/filter_node.hpp>
#include <ctflow/error.hpp>
#include <ctflow/event.hpp>

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace ctflow {

namespace detail {
struct filter_access;
} // namespace detail

/// Which flows are wanted. A plain value: copies are independent, and a default-constructed one
/// lets all flows through, as one that was moved from does.
///
/// It is written in the way of pcap-filter(7), as far as it goes here:
///
///     proto tcp and dst net 10.0.0.0/8 and not port 22
///
/// The tests, and the flows that pass them:
///
/// - `all`: all.
/// - `ip`, `ip6`: of IPv4, of IPv6.
/// - `proto NAME`: of that protocol: tcp, udp, icmp, icmpv6, sctp, dccp, gre, udplite, or 0 to 255.
/// - `host ADDRESS`: from or to that address.
/// - `net PREFIX`: from or to an address in it, as 10.0.0.0/8. It has zeros beyond its length.
/// - `port N`: from or to that port, 0 to 65535, of protocols that have ports (event::has_ports()).
/// - `port N-M`: from or to one of these, both included.
/// - `mark N`: that have this mark (event::connmark()), decimal, or hexadecimal with 0x.
/// - `mark N/MASK`: whose mark is N where MASK has ones. N has zeros elsewhere.
/// - `zone N`: of that conntrack zone, 0 to 65535.
/// - `netns N`: of that network namespace, by its inode (event::netns()).
/// - `bytes >= N`: that have moved so many bytes, both directions together. N may end in k, M or G,
///   powers of 1000.
/// - `packets >= N`: that have moved so many packets, in the same way.
/// - `age >= TIME`: that are so old: a number and ns, us, ms, s, m or h; a hundred years at most.
///
/// `src` or `dst` before `host`, `net` and `port` has them look at one end: who began the flow, or
/// whom it was meant for, before any NAT. `<` is the contrary of `>=`.
///
/// Tests are combined by `not` (`!`), `and` (`&&`) and `or` (`||`), of which the former bind
/// tighter; unlike pcap-filter's, where `and` and `or` bind alike. Parentheses group. Empty text
/// lets all through. Nothing is looked up: names of hosts, ports and interfaces are not known.
///
/// An IPv6 address or prefix that is an IPv4 one mapped into IPv6 (RFC 4291) is taken for the IPv4
/// one, as the kernel has it.
///
/// @par Limits
/// A text of 65536 characters, 512 tests, 32 of `and`, `or`, `not` and parentheses within each
/// other. What goes beyond is errc::filter_too_long, when it is parsed or combined.
///
/// @par Thread-safety
/// Like an int: distinct objects safe; a shared one is safe while nobody assigns to it.
class filter {
public:
    static constexpr std::size_t text_limit = 65536; ///< Characters.
    static constexpr std::size_t tests_limit = 512;  ///< Tests, of which a kernel takes 64.
    static constexpr std::size_t nesting_limit = 32; ///< Operators within each other.
    static constexpr std::chrono::nanoseconds age_limit =
        std::chrono::hours(24 * 36500); ///< Of age.

    /// Lets all flows through.
    filter() = default;

    /// Reads a filter.
    ///
    /// @return the filter; one that lets all through, on an error
    ///
    /// @par Errors
    /// errc::filter_syntax, errc::filter_too_long. diag says what was expected and at which
    /// character, counted from 1, and shows the text with a `^` below that character. It has
    /// printable ASCII alone: other characters of the text are `?` in it.
    ///
    /// @par Thread-safety
    /// May be called from any thread.
    CTFLOW_DECL static filter parse(std::string_view text, error_code& ec, diagnostics& diag);

    /// The same, without diagnostics.
    CTFLOW_DECL static filter parse(std::string_view text, error_code& ec);

    /// The same, throwing system_error.
    CTFLOW_DECL static filter parse(std::string_view text);

    /// Whether it lets all flows through, as it is written: `bytes >= 0` is a test.
    bool lets_all_through() const noexcept { return nodes_.empty(); }

    /// Whether it lets the flow of this event through, as it was then. Nothing of it runs in the
    /// kernel. Its age is duration() of a flow that has ended, else from start() to time(), and 0
    /// where start() is not known.
    CTFLOW_DECL bool matches(const event& e) const noexcept;

    /// Whether they are written alike: the same tests in the same order, parentheses that mean
    /// nothing aside.
    friend bool operator==(const filter&, const filter&) = default;

private:
    friend struct detail::filter_access;

    std::vector<detail::filter_node> nodes_; // Empty lets all through.
};

/// What both let through.
///
/// @par Errors
/// Throws system_error, errc::filter_too_long, beyond the limits of a filter.
CTFLOW_DECL filter operator&&(filter a, const filter& b);

/// What one of them lets through.
///
/// @par Errors
/// Throws system_error, errc::filter_too_long, beyond the limits of a filter.
CTFLOW_DECL filter operator||(filter a, const filter& b);

/// What it does not let through.
///
/// @par Errors
/// Throws system_error, errc::filter_too_long, beyond the limits of a filter.
CTFLOW_DECL filter operator!(filter a);

/// The text that parse() reads as an equal filter. `all` if it lets all through.
CTFLOW_DECL std::string to_string(const filter& f);

/// Writes to_string(f).
CTFLOW_DECL std::ostream& operator<<(std::ostream& os, const filter& f);

/// Which end of a flow, of its original direction, before any NAT.
enum class flow_end : std::uint8_t {
    either, ///< One of them.
    src,    ///< Who began the flow.
    dst,    ///< Whom it was meant for.
};

/// The tests of a filter, to be combined by `&&`, `||` and `!`. What is out of its range, see
/// filter, is a std::invalid_argument.
namespace filters {

/// Flows of IPv4.
CTFLOW_DECL filter ip();

/// Flows of IPv6.
CTFLOW_DECL filter ip6();

/// Flows of a protocol, IPPROTO_*: 0 to 255.
CTFLOW_DECL filter proto(std::uint32_t number);

/// Flows from or to an address. A scope id does not matter.
CTFLOW_DECL filter host(const boost::asio::ip::address& address, flow_end end = flow_end::either);

/// Flows from or to an address of a prefix. The address has zeros beyond the prefix.
CTFLOW_DECL filter net(const boost::asio::ip::address& address, std::uint32_t prefix_length,
                       flow_end end = flow_end::either);

/// Flows from or to a port, 0 to 65535, of protocols that have ports.
CTFLOW_DECL filter port(std::uint32_t number, flow_end end = flow_end::either);

/// Flows from or to a port from `first` to `last`, both included.
CTFLOW_DECL filter ports(std::uint32_t first, std::uint32_t last, flow_end end = flow_end::either);

/// Flows whose mark is `value` where `mask` has ones. The value has zeros elsewhere.
CTFLOW_DECL filter mark(std::uint32_t value, std::uint32_t mask = 0xffffffff);

/// Flows of a conntrack zone, 0 to 65535.
CTFLOW_DECL filter zone(std::uint32_t number);

/// Flows of a network namespace, by its inode.
CTFLOW_DECL filter netns(std::uint32_t inode);

/// Flows that have moved so many bytes, both directions together.
CTFLOW_DECL filter at_least_bytes(std::uint64_t number);

/// Flows that have moved so many packets, both directions together.
CTFLOW_DECL filter at_least_packets(std::uint64_t number);

/// Flows that are so old: zero to filter::age_limit.
CTFLOW_DECL filter at_least_age(std::chrono::nanoseconds age);

} // namespace filters

} // namespace ctflow
