// SPDX-License-Identifier: Apache-2.0
#include "subjects/round.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <thread>

namespace ctflow::bench {
namespace {

books books_of(subject& s, std::size_t receiver, const production& p) {
    return {p.attempted, s.receivers()[receiver].delivered(), p.refused,
            s.lost_after_ring(receiver)};
}

std::uint64_t least_delivered(subject& s) {
    auto least = std::numeric_limits<std::uint64_t>::max();
    for (const auto& r : s.receivers()) {
        least = std::min(least, r.delivered());
    }
    return least;
}

} // namespace

books& books::operator+=(const books& other) noexcept {
    produced += other.produced;
    delivered += other.delivered;
    lost_in_ring += other.lost_in_ring;
    lost_after_ring += other.lost_after_ring;
    return *this;
}

books books_of(subject& s, const production& p) {
    std::vector<books> all;
    for (std::size_t i = 0; i < s.receivers().size(); ++i) {
        all.push_back(books_of(s, i, p));
    }
    return std::ranges::min(all, {}, &books::delivered);
}

std::vector<std::string> faults_of(const variant& v, subject& s, const production& p) {
    std::vector<std::string> faults;
    const auto add = [&](const std::string& what) {
        faults.push_back(std::string(v.id) + ": " + what);
    };
    for (std::size_t i = 0; i < s.receivers().size(); ++i) {
        const auto b = books_of(s, i, p);
        if (!b.balanced()) {
            add("THE BOOKS DO NOT BALANCE: consumer " + std::to_string(i) + ": produced " +
                std::to_string(b.produced) + ", delivered " + std::to_string(b.delivered) +
                ", lost in the ring " + std::to_string(b.lost_in_ring) + ", lost after it " +
                std::to_string(b.lost_after_ring));
        }
        if (const auto n = s.receivers()[i].disorder(); n != 0) {
            add("consumer " + std::to_string(i) + " got " + std::to_string(n) +
                " events twice or out of order");
        }
    }
    if (!s.complaint().empty()) {
        add(s.complaint());
    }
    return faults;
}

production warm_up(subject& s) {
    constexpr std::uint32_t events = 64;
    const auto taken = s.source().emit(events);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (least_delivered(s) < taken) {
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("nothing arrives");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return {.attempted = events, .refused = events - taken};
}

round_result run_round(const variant& v, const load& l, bool keep_latencies) {
    const auto s = v.make();
    if (keep_latencies) {
        const auto expected = l.seconds * static_cast<double>(l.rate);
        s->receivers().front().keep_latencies(static_cast<std::size_t>(expected) + 1000);
    }
    s->start();
    const auto before = warm_up(*s);
    const auto delivered_before = least_delivered(*s);

    std::uint64_t in_time = 0;
    producer sender(s->source(), l, [&] { in_time = least_delivered(*s); });
    auto p = sender.join();
    s->finish();

    round_result r;
    r.seconds = static_cast<double>(p.wall_ns) / 1e9;
    r.delivered_per_second = static_cast<double>(in_time - delivered_before) / r.seconds;
    r.sent_per_second = static_cast<double>(p.attempted) / r.seconds;
    r.producer_cpu_ns = p.cpu_ns;
    r.consumer_cpu_ns = s->cpu_ns();
    p.attempted += before.attempted;
    p.refused += before.refused;
    r.account = books_of(*s, p);
    if (keep_latencies) {
        const auto latencies = s->receivers().front().latencies().subspan(delivered_before);
        r.latencies.assign(latencies.begin(), latencies.end());
    }
    r.faults = faults_of(v, *s, p);
    return r;
}

} // namespace ctflow::bench
