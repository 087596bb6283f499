// SPDX-License-Identifier: Apache-2.0
#include "flows.hpp"

#include "common/names.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <utility>

namespace json = boost::json;

namespace http_accounting {
namespace {

// 2026-01-02T03:04:05.678901234Z
std::string rfc3339(std::chrono::sys_time<std::chrono::nanoseconds> t) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(t);
    const std::time_t whole = seconds.time_since_epoch().count();
    std::tm utc{};
    ::gmtime_r(&whole, &utc);
    std::array<char, 32> date{};
    std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    std::array<char, 16> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%09uZ",
                  static_cast<unsigned>((t - seconds).count()));
    return date.data() + std::string(fraction.data());
}

json::object end_of_flow(const ctflow::event& e, const boost::asio::ip::address& address,
                         std::uint16_t port, std::uint64_t packets, std::uint64_t bytes) {
    json::object o{{"ip", address.to_string()}, {"packets", packets}, {"bytes", bytes}};
    if (e.has_ports()) {
        o["port"] = port;
    }
    return o;
}

std::uint64_t bytes_of(const ctflow::event& e) {
    return e.bytes_orig() + e.bytes_ret();
}

} // namespace

json::value to_json(const examples::flow& f) {
    const auto& e = f.last;
    json::object flow{
        {"source", end_of_flow(e, e.src_addr(), e.src_port(), e.packets_orig(), e.bytes_orig())},
        {"destination", end_of_flow(e, e.dst_addr(), e.dst_port(), e.packets_ret(), e.bytes_ret())},
        {"network",
         {{"type", e.src_addr().is_v6() ? "ipv6" : "ipv4"},
          {"transport", examples::protocol(e.proto())},
          {"iana_number", std::to_string(e.proto())}, // A keyword, says ECS.
          {"packets", e.packets_orig() + e.packets_ret()},
          {"bytes", bytes_of(e)}}},
        {"ctflow", {{"flow_id", e.flow_id()}, {"connmark", e.connmark()}, {"netns", e.netns()}}}};
    if (e.start().time_since_epoch().count() != 0) {
        flow["event"] = json::object{{"start", rfc3339(e.start())}};
    }
    return flow;
}

json::value largest_flows::list(std::size_t wanted, clock::time_point now) {
    if (!looked_ || now - *looked_ >= std::chrono::seconds(1)) {
        looked_ = now;
        look();
    }
    json::array listed;
    for (const auto& each : std::span(largest_).first(std::min(wanted, largest_.size()))) {
        listed.push_back(to_json(each));
    }
    return {{"live", live_}, {"flows", std::move(listed)}};
}

void largest_flows::look() {
    std::vector<std::pair<std::uint64_t, const examples::flow*>> all; // By bytes.
    all.reserve(flows_.live());
    flows_.for_each([&](const examples::flow& f) {
        if (!f.ended()) {
            all.emplace_back(bytes_of(f.last), &f);
        }
    });
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most_, all.size()));
    std::partial_sort(all.begin(), end, all.end(), std::greater());
    live_ = all.size();
    largest_.clear();
    std::transform(all.begin(), end, std::back_inserter(largest_),
                   [](const auto& each) { return *each.second; });
}

} // namespace http_accounting
