// SPDX-License-Identifier: Apache-2.0
#include "rings.hpp"

#include "simulated_ring.hpp"
#include "support/cpu.hpp"
#include "support/pipeline.hpp"
#include "support/statistics.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <vector>

namespace ctflow::bench {
namespace {

// A page and more, as a perf buffer has at the least: with a thousand, memory counts, too.
constexpr std::size_t ring_size = std::size_t{16} << 10;

// Counts, and calms the rings that were woken.
struct counter final : transport::event_sink {
    void on_events(event_kind, std::span<const event> batch) override { events += batch.size(); }
    void on_malformed(std::uint64_t) override {
        throw std::logic_error("a simulated ring is malformed");
    }
    void flush() override {
        if (woken != nullptr) {
            woken->calm();
        }
    }
    void close() override {}

    std::uint64_t events = 0;
    const simulated_ring* woken = nullptr;
};

struct fixture {
    explicit fixture(std::size_t count) {
        std::vector<transport::ring> all;
        for (std::size_t i = 0; i < count; ++i) {
            all.push_back(rings.emplace_back(ring_size).ring());
        }
        reader = make_reader(context.get_executor(), all, sink);
        reader->run([](error_code) {});
        context.poll();
    }
    ~fixture() {
        reader->stop({});
        context.poll();
    }
    fixture(const fixture&) = delete;
    fixture& operator=(const fixture&) = delete;

    void run_until(std::uint64_t events) {
        while (sink->events < events) {
            context.run_one();
        }
    }

    std::deque<simulated_ring> rings;
    boost::asio::io_context context;
    std::shared_ptr<counter> sink = std::make_shared<counter>();
    std::shared_ptr<transport::reader> reader;
};

// What the simulation takes by itself.
double cost_of_eventfd() {
    constexpr int turns = 10'000;
    const simulated_ring r(ring_size);
    const auto begin = steady_ns();
    for (int i = 0; i < turns; ++i) {
        r.wake();
        r.calm();
    }
    return static_cast<double>(steady_ns() - begin) / turns;
}

// The median of many: an interruption spoils one of them.
template <class Try>
double median_of_tries(double seconds, Try once) {
    std::vector<double> tries;
    const auto end = steady_ns() + static_cast<std::int64_t>(seconds * 1e9);
    do {
        tries.push_back(once());
    } while (steady_ns() < end);
    return spread_of(std::move(tries)).median;
}

double measure_wakeup(std::size_t count, double seconds) {
    constexpr int turns = 200;
    fixture f(count);
    std::size_t next = 0;
    const double all = median_of_tries(seconds, [&] {
        const auto begin = steady_ns();
        for (int i = 0; i < turns; ++i) {
            auto& r = f.rings[next++ % count];
            f.sink->woken = &r;
            r.write_record();
            r.wake();
            f.run_until(f.sink->events + 1);
        }
        return static_cast<double>(steady_ns() - begin) / turns;
    });
    return all - cost_of_eventfd();
}

double measure_full(std::size_t count, double seconds) {
    fixture f(count);
    return median_of_tries(seconds, [&] {
        std::uint64_t events = 0;
        for (auto& r : f.rings) {
            events += r.fill();
            r.wake();
        }
        const auto begin = steady_ns();
        f.run_until(f.sink->events + events);
        const auto took = static_cast<double>(steady_ns() - begin);
        for (const auto& r : f.rings) {
            r.calm();
        }
        f.context.poll();
        return took / static_cast<double>(events);
    });
}

} // namespace

ring_costs measure_rings(std::size_t rings, double seconds) {
    return {measure_wakeup(rings, seconds), measure_full(rings, seconds)};
}

} // namespace ctflow::bench
