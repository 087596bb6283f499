// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/event.hpp>
#include <ctflow/flow_deltas.hpp>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <ostream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ctflow {

inline std::ostream& operator<<(std::ostream& os, delta_kind kind) {
    return os << to_string(kind);
}

inline std::ostream& operator<<(std::ostream& os, const flow_delta& d) {
    return os << d.kind << ' ' << d.packets_orig << '/' << d.bytes_orig << ' ' << d.packets_ret
              << '/' << d.bytes_ret << " in " << d.interval.count() << " ns";
}

} // namespace ctflow

namespace ctflow::test {

using namespace std::chrono_literals;

// A flow whose events are made by hand. Times are since boot.
struct delta_flow {
    std::uint64_t conntrack = 0xffff0000;
    std::uint32_t number = 1; // Of its tuple.
    std::chrono::nanoseconds began = 1000s;
    bool has_start = true;

    // With as many packets one way and half of them back, unless it is told.
    event at(std::chrono::nanoseconds t, std::uint64_t packets,
             event_kind kind = event_kind::update) const {
        return at(t, packets, packets * 100, packets / 2, packets / 2 * 40, kind);
    }
    event end(std::chrono::nanoseconds t, std::uint64_t packets) const {
        return at(t, packets, event_kind::destroy);
    }
    event at(std::chrono::nanoseconds t, std::uint64_t packets_orig, std::uint64_t bytes_orig,
             std::uint64_t packets_ret, std::uint64_t bytes_ret, event_kind kind) const {
        ctflow_record r{};
        r.start = has_start ? in_ns(boot() + began) : 0;
        r.timestamp = in_ns(t);
        r.conntrack = conntrack;
        std::memcpy(r.src_addr, &number, sizeof(number));
        r.dst_addr[0] = 192;
        r.packets_orig = packets_orig;
        r.bytes_orig = bytes_orig;
        r.packets_ret = packets_ret;
        r.bytes_ret = bytes_ret;
        r.src_port = htons(40000);
        r.dst_port = htons(53);
        r.proto = IPPROTO_UDP;
        r.family = AF_INET;
        r.kind = static_cast<unsigned char>(kind) & 0xf;
        return event(r);
    }

    static std::uint64_t in_ns(std::chrono::nanoseconds t) {
        return static_cast<std::uint64_t>(t.count());
    }
    // The same in all of a test: the two clocks are not read at one time.
    static std::chrono::nanoseconds boot() {
        static const auto t = boot_clock::to_sys(boot_clock::time_point()).time_since_epoch();
        return t;
    }
};

inline flow_delta delta(delta_kind kind, std::uint64_t packets_orig, std::uint64_t bytes_orig,
                        std::uint64_t packets_ret, std::uint64_t bytes_ret,
                        std::chrono::nanoseconds interval = 0s) {
    return {kind, packets_orig, bytes_orig, packets_ret, bytes_ret, interval};
}

} // namespace ctflow::test
