// SPDX-License-Identifier: Apache-2.0
//
// 200,000 events a second for as long as CTFLOW_SECONDS says, while consumers come and go: memory
// and descriptors stay what they are, and the books balance.
#include "host/locked_memory.hpp"
#include "kernel/ledger.hpp"
#include "support/cpus.hpp"
#include "support/resources.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace ctflow;
using namespace std::chrono_literals;
using test::ledger;
using test::pace;
using test::resources;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr std::size_t large = 65536;         // A queue's memory is touched when it has gone round.
constexpr std::uint32_t a_millisecond = 200; // Events, of which every tenth is a destroy.

std::chrono::seconds duration() {
    const char* value = std::getenv("CTFLOW_SECONDS");
    return std::chrono::seconds(value != nullptr && *value != 0 ? std::atoi(value) : 60);
}

// Sends until it is enough, for two threads.
struct sending {
    std::atomic<bool> enough = false;
    std::atomic<std::uint64_t> ends_read = 0; // The reader's, from time to time.
    std::uint64_t updates = 0;
    std::uint64_t destroys = 0;
};

// As a process that is not scheduled does: what is missed is made up for. Of destroys no more wait
// than the reserve has room for: a busy machine's reader may be away for longer than that lasts.
void send(test::emitter& source, sending& s) {
    constexpr std::uint64_t unread = 16384;
    test::stay_on_cpu(0);
    for (auto next = clock_type::now(); !s.enough;) {
        source.emit(a_millisecond * 9 / 10);
        s.updates += a_millisecond * 9 / 10;
        if (s.destroys - s.ends_read < unread) {
            source.emit(a_millisecond / 10, event_kind::destroy);
            s.destroys += a_millisecond / 10;
        }
        std::this_thread::sleep_until(next += 1ms);
    }
}

// Consumers that come, one after the other, and go when nine others have come.
class visitors {
public:
    explicit visitors(ledger& of) : of_(of) {}

    void next() {
        if (all_.size() == 10) {
            const auto& oldest = all_.front();
            error_code ec;
            if (count_ % 2 == 0) {
                of_.registry.remove(*oldest->of().core(), ec);
            } // Else it is destroyed as it is, in the middle of a receive.
            BOOST_TEST(!ec);
            all_.erase(all_.begin());
        }
        error_code ec;
        all_.push_back(std::make_unique<test::customer>(
            of_.ctx, "visitor " + std::to_string(++count_), pace::fast, 4096));
        of_.registry.add(all_.back()->of().core(), ec);
        BOOST_TEST(!ec);
    }
    std::size_t count() const { return count_; }
    void clear() { all_.clear(); }

private:
    ledger& of_;
    std::vector<std::unique_ptr<test::customer>> all_;
    std::size_t count_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(soak)

BOOST_AUTO_TEST_CASE(memory_and_descriptors_stay_and_books_balance) {
    ledger b(transport_kind::perf_buffer, host::with_sizes({}).buffer_pages,
             config{}.reserve_pages);
    b.add(pace::fast, large);
    b.add(pace::stopped, 1024);
    b.run();
    sending sent;
    std::thread sender([&] { send(b.source, sent); });

    visitors passing(b);
    // Without visitors, whose queues take more or less memory, as long as they wait for the CPU.
    // The fan-out forgets those that have gone with the next event.
    const auto alone = [&] {
        passing.clear();
        const auto seen = b.stats().perf_events_update;
        do {
            b.ctx.restart();
            b.ctx.run_for(10ms);
        } while (b.stats().perf_events_update == seen);
        return resources::now();
    };
    resources before;
    std::size_t most_kb = 0;
    const auto begin = clock_type::now();
    const auto warm = begin + std::min<clock_type::duration>(duration() / 4, 30s);
    auto end = begin + duration();
    for (auto next = begin; next < end || before.descriptors == 0;) {
        next += 20ms;
        passing.next();
        b.ctx.restart();
        b.ctx.run_until(next);
        const auto now = clock_type::now();
        const auto seen = b.stats();
        sent.ends_read = seen.perf_events_destroy;
        if (before.descriptors == 0 && now >= warm && seen.perf_events_update > large) {
            before = alone();
            end = std::max(end, clock_type::now() + duration() / 2); // A busy machine warms late.
        } else if (before.descriptors != 0 && passing.count() % 500 == 0) {
            const auto at = resources::now();
            most_kb = std::max(most_kb, at.heap_kb);
            BOOST_TEST(at.descriptors == before.descriptors);
        }
    }
    const auto after = alone();
    most_kb = std::max(most_kb, after.heap_kb);
    sent.enough = true;
    sender.join();
    b.finish();

    const auto s = b.stats();
    b.check(sent.updates, sent.destroys);
    BOOST_TEST(s.perf_events_destroy_lost == 0U);
    BOOST_TEST(after.descriptors == before.descriptors);
    check_memory(before, after, 1024);
    BOOST_TEST_MESSAGE(duration().count()
                       << " s: " << sent.updates + sent.destroys << " events, "
                       << s.perf_events_update_lost << " lost; " << passing.count()
                       << " consumers came and went; heap " << before.heap_kb << " kB when warm, "
                       << most_kb << " at most, " << after.heap_kb << " at the end; descriptors "
                       << after.descriptors);
}

BOOST_AUTO_TEST_SUITE_END()
