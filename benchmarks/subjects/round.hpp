// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "subjects/catalogue.hpp"
#include "support/producer.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ctflow::bench {

// What became of what was sent. Of several consumers, the one that got least.
struct books {
    std::uint64_t produced = 0;
    std::uint64_t delivered = 0;
    std::uint64_t lost_in_ring = 0;    // The ring was full: the program was told so.
    std::uint64_t lost_after_ring = 0; // The queue behind was full.

    books& operator+=(const books& other) noexcept;
    bool balanced() const noexcept {
        return produced == delivered + lost_in_ring + lost_after_ring;
    }
};

// A subject's round, or several as one.
struct round_result {
    books account;
    double seconds = 0;
    double delivered_per_second = 0; // By the end of the time; what is drained then does not count.
    double sent_per_second = 0;
    std::int64_t producer_cpu_ns = 0;
    std::int64_t consumer_cpu_ns = 0; // Of all threads.
    std::vector<std::int64_t> latencies;
    std::vector<std::string> faults; // What must not be.

    double consumer_ns() const { return per(consumer_cpu_ns, account.delivered); }
    double producer_ns() const { return per(producer_cpu_ns, account.delivered); }
    double producer_ns_sent() const { return per(producer_cpu_ns, account.produced); }

private:
    static double per(std::int64_t ns, std::uint64_t events) {
        return static_cast<double>(ns) / static_cast<double>(events);
    }
};

// Some events, waited for: whoever is to receive has come to run, and a busy machine's scheduler
// may take its time for that.
production warm_up(subject& s);

// What must not be: books that do not balance, numbers out of order.
std::vector<std::string> faults_of(const variant& v, subject& s, const production& p);

// Of the consumer that got least.
books books_of(subject& s, const production& p);

// keep_latencies: those of the first consumer.
round_result run_round(const variant& v, const load& l, bool keep_latencies = false);

} // namespace ctflow::bench
