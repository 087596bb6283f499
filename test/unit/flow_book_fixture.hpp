// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ctnetlink/flow_book.hpp"

#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace ctflow::test::book {

using namespace ctflow::ctnetlink;

inline constexpr std::uint64_t second = 1'000'000'000;
inline constexpr std::uint32_t our_netns = 4026532000;
inline constexpr std::uint64_t confirmation_time = flow_book::confirmation_time;

// One of many flows by its number: a key, and records and messages about it.
struct flow {
    std::uint32_t number = 1;
    std::uint64_t conntrack = 0xffff0000;
    std::uint16_t zone = 0;
    bool follows = false;

    ctflow_record record(std::uint64_t start, std::uint64_t packets = 1) const {
        ctflow_record r{};
        r.start = start;
        r.timestamp = 100 * second;
        r.conntrack = conntrack;
        std::memcpy(r.src_addr, &number, sizeof(number));
        r.dst_addr[0] = 192;
        r.packets_orig = packets;
        r.bytes_orig = packets * 100;
        r.netns = our_netns;
        r.src_port = 7;
        r.dst_port = 8;
        r.proto = IPPROTO_UDP;
        r.family = AF_INET;
        r.kind = CTFLOW_RECORD_UPDATE;
        return r;
    }

    message told(message_kind kind, std::uint64_t start, std::uint64_t packets = 0) const {
        message m{};
        m.kind = kind;
        std::memcpy(m.key.src_addr.data(), &number, sizeof(number));
        m.key.dst_addr[0] = 192;
        m.key.src_port = 7;
        m.key.dst_port = 8;
        m.zone = zone;
        m.zone_dir = zone != 0 ? 3 : 0;
        m.key.zone = zone;
        m.key.proto = IPPROTO_UDP;
        m.key.family = AF_INET;
        m.has_counters = true;
        m.packets_orig = packets;
        m.bytes_orig = packets * 100;
        m.start = start;
        return m;
    }
};

struct fixture {
    fixture() { book.clear(our_netns); }

    flow_book book{[this](const flow_key&) {
        return unrecorded;
    }};
    std::uint64_t unrecorded = 0; // When one without records was born.
    std::vector<ended> out;
    bool all_known = false; // By the last resync.
    bool waits = false;     // The last end.
    std::uint64_t now = 200 * second;
    std::uint64_t caught_up = 0;

    // What the update says the flow's start is, once it has been through the book.
    std::uint64_t first(const flow& f, std::uint64_t estimate) { return update(f, estimate, true); }
    std::uint64_t later(const flow& f, std::uint64_t start, std::uint64_t packets = 2) {
        return update(f, start, false, packets);
    }
    std::uint64_t update(const flow& f, std::uint64_t start, bool begins,
                         std::uint64_t packets = 1) {
        auto r = f.record(start, packets);
        r.timestamp = ++records;
        const auto origin = begins ? origins[f.conntrack] = records
                                   : origins.try_emplace(f.conntrack, records).first->second;
        book.on_update(r, nullptr, {f.zone, begins, begins, f.follows, origin});
        return r.start;
    }

    std::vector<ended> end(const flow& f, std::uint64_t start, std::uint64_t packets = 9) {
        out.clear();
        waits = !book.on_end(f.told(message_kind::end, start, packets), {now, caught_up}, out);
        return out;
    }

    // Those that waited for longer.
    std::vector<ended> others() {
        out.clear();
        book.take_others(out);
        return out;
    }

    void list(const flow& f, std::uint64_t start, std::uint32_t status = 0) {
        auto m = f.told(message_kind::flow, start);
        m.status = status;
        book.on_listed(m);
    }
    std::vector<ended> end_resync() {
        out.clear();
        all_known = book.end_resync(now, out);
        return out;
    }

    std::uint64_t records = 0;                      // They have their number as their time.
    std::map<std::uint64_t, std::uint64_t> origins; // By conntrack.
};

} // namespace ctflow::test::book
