// SPDX-License-Identifier: Apache-2.0
#include "soak.hpp"

#include "subjects/round.hpp"
#include "support/machine.hpp"
#include "support/process.hpp"
#include "support/program.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>

namespace ctflow::bench {
namespace {

using clock = std::chrono::steady_clock;

void print_line(double at, const producer& sender, subject& s, const production& before) {
    const auto delivered = s.receivers().front().delivered(); // First: so it is not the greater.
    std::printf("%8.0f %14llu %14llu %12llu %12llu %8llu\n", at,
                static_cast<unsigned long long>(before.attempted + sender.attempted()),
                static_cast<unsigned long long>(delivered),
                static_cast<unsigned long long>(before.refused + sender.refused()),
                static_cast<unsigned long long>(resident_kb()),
                static_cast<unsigned long long>(open_descriptors()));
    std::fflush(stdout);
}

} // namespace

bool soak(const options& o) {
    const auto& v = *o.variants.front();
    const auto s = v.make();
    s->start();
    const auto before = warm_up(*s);
    std::cout << machine_as_markdown() << '\n'
              << v.title << ", " << o.load.rate << " events a second\n\n";
    std::printf("%8s %14s %14s %12s %12s %8s\n", "seconds", "produced", "delivered", "lost in ring",
                "resident kB", "open fds");

    const auto begin = clock::now();
    const std::chrono::duration<double> whole(o.soak);
    producer sender(s->source(), {.rate = o.load.rate, .seconds = o.soak});
    for (std::chrono::duration<double> at(0); at < whole;) {
        at = std::min(at + std::chrono::seconds(10), whole);
        std::this_thread::sleep_until(begin + std::chrono::duration_cast<clock::duration>(at));
        print_line(at.count(), sender, *s, before);
    }
    auto p = sender.join();
    s->finish();
    p.attempted += before.attempted;
    p.refused += before.refused;

    const auto b = books_of(*s, p);
    const auto faults = faults_of(v, *s, p);
    std::cout << "\nproduced " << b.produced << " = delivered " << b.delivered
              << " + lost in the ring " << b.lost_in_ring << " + lost after it "
              << b.lost_after_ring << (faults.empty() ? ": the books balance\n" : "?\n");
    return report(faults);
}

} // namespace ctflow::bench
