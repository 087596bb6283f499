// SPDX-License-Identifier: Apache-2.0
#include <ctflow/config.hpp>

#include <bit>
#include <chrono>

namespace ctflow {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds none{0}; // Which cppcheck can compare with, unlike 0ns.

void set_default(std::chrono::nanoseconds& value, std::chrono::nanoseconds by_default) noexcept {
    if (value == none) {
        value = by_default;
    }
}

// In the kernel the ages of flows are signed differences of nanoseconds.
bool out_of_range(const curve_point& p) noexcept {
    return p.age < none || p.age > config::curve_limit || p.rate < none ||
           p.rate > config::curve_limit;
}

} // namespace

const char* to_string(attach_mode mode) noexcept {
    switch (mode) {
    case attach_mode::fentry:
        return "fentry";
    case attach_mode::kprobe:
        return "kprobe";
    case attach_mode::netfilter:
        return "netfilter";
    case attach_mode::automatic:
        break;
    }
    return "automatic";
}

config with_defaults(config c) noexcept {
    set_default(c.curve0.rate, 20s);
    set_default(c.curve1.age, 60s);
    set_default(c.curve1.rate, 60s);
    set_default(c.curve2.age, 5min);
    set_default(c.curve2.rate, 5min);
    return c;
}

error_code validate(const config& given) noexcept {
    const config c = with_defaults(given);
    if (out_of_range(c.curve0) || out_of_range(c.curve1) || out_of_range(c.curve2)) {
        return errc::curve_out_of_range;
    }
    if (c.curve0.age >= c.curve1.age) {
        return errc::curve0_age;
    }
    if (c.curve1.age >= c.curve2.age) {
        return errc::curve1_age;
    }
    if (c.buffer_pages != 0 &&
        (!std::has_single_bit(c.buffer_pages) || c.buffer_pages > config::buffer_pages_limit)) {
        return errc::buffer_pages;
    }
    if (!std::has_single_bit(c.reserve_pages) || c.reserve_pages > config::reserve_pages_limit) {
        return errc::reserve_pages;
    }
    if (c.flush_interval < none || c.flush_interval > config::flush_interval_limit) {
        return errc::flush_interval;
    }
    if (c.max_flows == 0 || c.max_flows > config::max_flows_limit) {
        return errc::max_flows;
    }
    if (c.netlink_buffer < config::netlink_buffer_least ||
        c.netlink_buffer > config::netlink_buffer_limit) {
        return errc::netlink_buffer;
    }
    if (c.audit_interval < none || c.audit_interval > config::audit_interval_limit) {
        return errc::audit_interval;
    }
    return {};
}

} // namespace ctflow
