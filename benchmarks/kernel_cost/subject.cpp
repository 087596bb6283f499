// SPDX-License-Identifier: Apache-2.0
#include "subject.hpp"

#include "clock.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

namespace ctflow::kernel_cost {
namespace {

using namespace std::chrono_literals;

// Between them the ring is emptied. A ring of 64 pages has room for two.
constexpr std::size_t packets_at_a_time = 1'000;

config settings(attach_mode attach, const scene& what, std::size_t most_flows) {
    config c;
    c.attach = attach;
    // Twice as many as there are: what a table in use is like.
    c.max_flows = static_cast<std::uint32_t>(std::max<std::size_t>(2 * most_flows, 65536));
    c.filter = what.filter;
    if (what.emitting || what.filter) { // What a filter refuses would be told without it.
        c.curve0 = {0s, 1ns};
        c.curve1 = {1h, 1ns};
        c.curve2 = {2h, 1ns};
    }
    return c;
}

std::uint32_t last_program() {
    const auto all = programs_after(0);
    return all.empty() ? 0 : all.back().id;
}

} // namespace

subject::subject(attach_mode attach, const scene& what, std::size_t most_flows)
    : emitting_(what.emitting) {
    const auto before = last_program();
    probe_.emplace(context_, settings(attach, what, most_flows));
    programs_ = programs_after(before);
}

// Reads what the programs have sent, outside the time that is measured. While packets are sent
// the reader does not sleep: a wake-up is the mark in its epoll set, without a task switch.
std::int64_t subject::timed(traffic& t, std::size_t packets) {
    std::int64_t spent = 0;
    while (packets != 0) {
        const auto some = std::min(packets, packets_at_a_time);
        const auto begin = now();
        t.send(some);
        spent += now() - begin;
        context_.poll();
        packets -= some;
    }
    return spent;
}

double subject::program_cost(traffic& t, std::size_t packets) {
    const run_stats on;
    std::vector<program> before;
    for (const auto& p : programs_) {
        before.push_back(read_program(p.id));
    }
    timed(t, packets);
    double sum = 0;
    for (const auto& b : before) {
        const auto after = read_program(b.id);
        // Of each run, not each packet: the host's other packets run it too.
        if (on_every_packet(b) && after.runs != b.runs) {
            sum += static_cast<double>(after.run_time - b.run_time) /
                   static_cast<double>(after.runs - b.runs);
        }
    }
    return sum;
}

void subject::expect(std::uint64_t events, const probe_stats& before) const {
    const auto after = probe_->stats();
    const auto seen = after.perf_events_update - before.perf_events_update +
                      after.perf_events_update_lost - before.perf_events_update_lost;
    // A few more may be of others.
    if (seen < events || seen > events + events / 100 + 10) {
        throw std::runtime_error("measured nonsense: " + std::to_string(seen) + " events, not " +
                                 std::to_string(events));
    }
}

subject::sample subject::round(traffic& t, std::size_t flows, std::size_t packets) {
    sample s;
    const auto per_packet = [packets](std::int64_t spent) {
        return static_cast<double>(spent) / static_cast<double>(packets);
    };
    t.choose(flows);
    if (!probe_) {
        timed(t, packets_at_a_time);
        s.whole = per_packet(timed(t, packets));
        return s;
    }
    {
        const test::netns::inside in(t.where()); // By netfilter's hooks it sees no other.
        probe_->start();
    }
    probe_->async_run([](error_code) {});
    context_.restart();
    timed(t, std::max(flows, packets_at_a_time));

    const auto before = probe_->stats();
    s.whole = per_packet(timed(t, packets));
    s.programs = program_cost(t, packets);
    expect(emitting_ ? 2 * packets : 0, before);

    const auto after = probe_->stats();
    s.lost = after.perf_events_update_lost - before.perf_events_update_lost;
    s.missed = after.program_misses - before.program_misses;
    probe_->stop();
    context_.restart();
    context_.run();
    return s;
}

} // namespace ctflow::kernel_cost
