// SPDX-License-Identifier: Apache-2.0
#include "support/random_filters.hpp"

#include "filter/tests.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <utility>

namespace ctflow::test {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t most_tests = 64; // As many as the kernel takes.

constexpr const char* v4[] = {"10.0.0.1",      "10.0.0.77", "10.127.255.254", "10.128.0.1",
                              "192.168.1.130", "8.8.8.8",   "0.0.0.0"};
constexpr const char* v6[] = {"2001:db8::1", "2001:db8:0:1::1", "2001:db8:8000::1", "fe80::1",
                              "::1"};
constexpr unsigned v4_lengths[] = {0, 1, 7, 8, 9, 16, 24, 25, 31, 32};
constexpr unsigned v6_lengths[] = {0, 3, 32, 33, 48, 63, 64, 65, 127, 128};
constexpr std::uint8_t protos[] = {6, 6, 6, 17, 17, 1, 58, 132, 33, 47, 136, 255};
constexpr std::uint16_t ports[] = {0, 22, 53, 80, 443, 1023, 1024, 8080, 65535};
constexpr std::uint32_t marks[] = {0, 1, 0x10, 0x11, 0xff, 0x80000001};
constexpr std::uint32_t masks[] = {0xffffffff, 0, 1, 0x11, 0xf0, 0x80000000};
constexpr std::uint16_t zones[] = {0, 0, 1, 65535};
constexpr std::uint64_t amounts[] = {0, 1, 999, 1000, 1500, 1'000'000, 5'000'000'000, ~0ULL};
constexpr std::uint64_t ages[] = {0, 999'999'999, 1'000'000'000, 60'000'000'000,
                                  86'400'000'000'000};

void put(unsigned long long (&words)[2], const ip::address& a) {
    const auto bytes = filtering::net_test(a, 0, flow_end::either).address;
    std::memcpy(words, bytes.data(), bytes.size());
}

} // namespace

flow_end random_filters::end() {
    return one_of(std::array{flow_end::either, flow_end::src, flow_end::dst});
}

filter random_filters::address_test() {
    const bool old = !one_in(3);
    const auto address = ip::make_address(old ? one_of(v4) : one_of(v6));
    if (one_in(3)) {
        return filters::host(address, end());
    }
    const auto length = old ? one_of(v4_lengths) : one_of(v6_lengths);
    return filters::net(filtering::prefix_of(address, length), length, end());
}

filter random_filters::port_test() {
    const auto first = one_of(ports);
    const auto last = one_of(ports);
    return one_in(2) ? filters::port(first, end())
                     : filters::ports(std::min(first, last), std::max(first, last), end());
}

filter random_filters::mark_test() {
    const auto mask = one_of(masks);
    return filters::mark(one_of(marks) & mask, mask);
}

filter random_filters::test() {
    switch (below(13)) {
    case 0:
        return filters::ip();
    case 1:
        return filters::ip6();
    case 2:
    case 3:
        return filters::proto(one_of(protos));
    case 4:
        return mark_test();
    case 5:
        return filters::zone(one_of(zones));
    case 6:
        return filters::netns(one_of(namespaces_));
    case 7:
        return filters::at_least_bytes(one_of(amounts));
    case 8:
        return filters::at_least_packets(one_of(amounts));
    case 9:
        return filters::at_least_age(
            std::chrono::nanoseconds(static_cast<std::int64_t>(one_of(ages))));
    case 10:
    case 11:
        return port_test();
    default:
        return address_test();
    }
}

filter random_filters::make(std::size_t tests) {
    filter f;
    if (tests == 1) {
        f = test();
    } else {
        const auto left = 1 + below(tests - 1);
        auto a = make(left);
        const auto b = make(tests - left);
        f = one_in(2) ? std::move(a) && b : std::move(a) || b;
    }
    return one_in(4) ? !std::move(f) : f;
}

filter random_filters::make() {
    return make(one_in(8) ? most_tests : 1 + below(20));
}

ctflow_filter_subject random_filters::subject() {
    ctflow_filter_subject s{};
    const bool old = !one_in(3);
    put(s.src_addr, ip::make_address(old ? one_of(v4) : one_of(v6)));
    put(s.dst_addr, ip::make_address(old ? one_of(v4) : one_of(v6)));
    s.family = old ? CTFLOW_FAMILY_IPV4 : CTFLOW_FAMILY_IPV6;
    s.proto = one_of(protos);
    s.src_port = one_of(ports);
    s.dst_port = one_of(ports);
    s.mark = one_of(marks);
    s.zone = one_of(zones);
    s.netns = one_of(namespaces_);
    s.bytes = one_of(amounts);
    s.packets = one_of(amounts);
    s.age = one_of(ages);
    return s;
}

std::vector<ctflow_filter_subject> random_filters::subjects(std::size_t n) {
    std::vector<ctflow_filter_subject> all(n);
    std::ranges::generate(all, [&] { return subject(); });
    return all;
}

} // namespace ctflow::test
