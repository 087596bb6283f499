// SPDX-License-Identifier: Apache-2.0
//
// Flows at random, of which it is known what they have moved.
#include "delta_flow.hpp"
#include "support/sanitizers.hpp"

#include <ctflow/flow_deltas.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

using namespace ctflow::test;
using ctflow::delta_kind;

namespace {

using counters = std::array<std::uint64_t, 4>;

counters of(const auto& e) {
    if constexpr (requires { e.packets_orig(); }) {
        return {e.packets_orig(), e.bytes_orig(), e.packets_ret(), e.bytes_ret()};
    } else {
        return {e.packets_orig, e.bytes_orig, e.packets_ret, e.bytes_ret};
    }
}

void add(counters& to, const counters& more) {
    for (std::size_t i = 0; i < to.size(); ++i) {
        to[i] += more[i];
    }
}

bool within(const counters& c, const counters& limit) {
    return std::ranges::equal(c, limit, std::less_equal<>());
}

struct options {
    bool starts = true;
    bool resets = false;
    double lost = 0;
    std::chrono::nanoseconds late = 0s; // How much at most.
    std::size_t capacity = 65536;
    std::size_t flows = 300;
};

struct world {
    struct sent {
        std::size_t flow;
        ctflow::event event;
        std::chrono::nanoseconds arrives;
    };

    world(std::uint32_t seed, const options& opts) : random(seed), o(opts) {
        // Few addresses and tuples: both are used again and again, one after the other.
        std::array<std::chrono::nanoseconds, 16> free_from{};
        free_from.fill(1000s);
        for (std::size_t n = 0; n < o.flows; ++n) {
            const auto place = upto(free_from.size() - 1);
            delta_flow f{.conntrack = 0xffff0000 + place * 0x100,
                         .number = static_cast<std::uint32_t>(upto(2)),
                         .began = free_from[place] + 1us * upto(2'000'000),
                         .has_start = o.starts};
            free_from[place] = live(n, f);
        }
        std::ranges::stable_sort(events, {}, &sent::arrives);
    }

    // Until when.
    std::chrono::nanoseconds live(std::size_t n, const delta_flow& f) {
        auto t = f.began;
        counters c{1, 40 + upto(1400), 0, 0};
        counters all = c;
        send(n, f, t, c, ctflow::event_kind::update);
        for (auto updates = upto(6); updates != 0; --updates) {
            t += 200ms + 1us * upto(30'000'000);
            if (o.resets && upto(5) == 0) {
                c = {};
            }
            move(c, all);
            send(n, f, t, c, ctflow::event_kind::update);
        }
        t += 1us * upto(1'000'000);
        if (upto(1) == 0) {
            move(c, all);
        }
        send(n, f, t, c, ctflow::event_kind::destroy);
        moved.push_back(all);
        return t + 1us;
    }

    void move(counters& c, counters& all) {
        const auto there = 1 + upto(20);
        const auto back = upto(20);
        const counters more{there, there * (40 + upto(1400)), back, back * (40 + upto(1400))};
        add(c, more);
        add(all, more);
    }

    void send(std::size_t n, const delta_flow& f, std::chrono::nanoseconds t, const counters& c,
              ctflow::event_kind kind) {
        if (std::bernoulli_distribution(o.lost)(random)) {
            return;
        }
        events.push_back(
            {n, f.at(t, c[0], c[1], c[2], c[3], kind), t + 1ns * upto(delta_flow::in_ns(o.late))});
    }

    // Feeds all of it, and adds up what is told of each flow.
    void run() {
        ctflow::flow_deltas deltas(o.capacity, ctflow::boot_clock::time_point(999s));
        told.resize(moved.size());
        last_known.resize(moved.size());
        doubts.resize(moved.size());
        for (const auto& s : events) {
            const auto d = deltas.take(s.event);
            BOOST_REQUIRE(within(of(d), of(s.event)));
            BOOST_REQUIRE(d.interval >= 0s);
            add(told[s.flow], of(d));
            doubts[s.flow] += d.kind == delta_kind::unknown ? 1 : 0;
            kinds[static_cast<std::size_t>(d.kind)] += 1;
            for (std::size_t i = 0; i < 4; ++i) {
                auto& known = last_known[s.flow][i];
                known = std::max(known, of(s.event)[i]);
            }
        }
        evicted = deltas.evicted();
    }

    std::uint64_t upto(std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
    }
    std::size_t many(delta_kind kind) const { return kinds[static_cast<std::size_t>(kind)]; }

    std::mt19937 random;
    options o;
    std::vector<sent> events;
    std::vector<counters> moved;      // By each flow in truth,
    std::vector<counters> last_known; // by its highest event that was not lost,
    std::vector<counters> told;       // and by its deltas.
    std::vector<std::size_t> doubts;  // How many deltas were unknown.
    std::array<std::size_t, 5> kinds{};
    std::uint64_t evicted = 0;
};

#if defined(CTFLOW_TEST_WITH_ASAN) || defined(CTFLOW_TEST_WITH_TSAN)
constexpr std::uint32_t seeds = 20; // Many times slower; all of them run in the other builds.
#else
constexpr std::uint32_t seeds = 100;
#endif

} // namespace

BOOST_AUTO_TEST_SUITE(flow_deltas_random)

BOOST_AUTO_TEST_CASE(deltas_add_up_in_whatever_order_events_come) {
    for (const auto late : {0ns, 1'000'000ns, 1'000'000'000ns, 100'000'000'000ns}) {
        for (std::uint32_t seed = 0; seed < seeds; ++seed) {
            world w(seed, {.late = late});
            w.run();
            BOOST_REQUIRE(w.told == w.moved);
            BOOST_REQUIRE(w.many(delta_kind::unknown) + w.many(delta_kind::after_reset) == 0U);
            BOOST_REQUIRE((late == 0ns) <= (w.many(delta_kind::late) == 0U));
            BOOST_REQUIRE((late > 10s) <= (w.many(delta_kind::late) > 0U));
        }
    }
}

BOOST_AUTO_TEST_CASE(and_to_the_highest_that_was_not_lost) {
    for (std::uint32_t seed = 0; seed < seeds; ++seed) {
        world w(seed, {.lost = 0.4, .late = 50s});
        w.run();
        BOOST_REQUIRE(w.told == w.last_known);
    }
}

BOOST_AUTO_TEST_CASE(without_starts_in_order_too) {
    for (std::uint32_t seed = 0; seed < seeds; ++seed) {
        world w(seed, {.starts = false});
        w.run();
        BOOST_REQUIRE(w.told == w.moved);
    }
}

// Flows run into each other then, but no packet is told twice.
BOOST_AUTO_TEST_CASE(without_starts_and_with_losses_there_is_less_never_more) {
    for (const auto late : {0ns, 1'000'000ns, 20'000'000'000ns}) {
        for (const std::size_t capacity : {12UL, 65536UL}) {
            for (std::uint32_t seed = 0; seed < seeds; ++seed) {
                world w(seed, {.starts = false, .lost = 0.3, .late = late, .capacity = capacity});
                w.run();
                counters told{};
                counters moved{};
                for (std::size_t n = 0; n < w.moved.size(); ++n) {
                    add(told, w.told[n]);
                    add(moved, w.moved[n]);
                }
                BOOST_REQUIRE(within(told, moved));
                BOOST_REQUIRE(told[0] * 4 > moved[0]);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(with_resets_there_is_less_never_more) {
    std::size_t resets = 0;
    for (const auto late : {0ns, 40'000'000'000ns}) {
        for (const std::size_t capacity : {12UL, 65536UL}) {
            for (std::uint32_t seed = 0; seed < seeds; ++seed) {
                world w(seed, {.resets = true, .lost = 0.2, .late = late, .capacity = capacity});
                w.run();
                resets += w.many(delta_kind::after_reset);
                for (std::size_t n = 0; n < w.moved.size(); ++n) {
                    BOOST_REQUIRE(within(w.told[n], w.moved[n]));
                }
            }
        }
    }
    BOOST_TEST(resets > 500U);
}

BOOST_AUTO_TEST_CASE(with_too_little_room_there_is_less_never_more) {
    for (const std::size_t capacity : {1UL, 4UL, 10UL, 14UL, 20UL}) {
        std::size_t right = 0;
        std::uint64_t evicted = 0;
        for (std::uint32_t seed = 0; seed < seeds; ++seed) {
            world w(seed, {.lost = 0.05, .late = 20s, .capacity = capacity});
            w.run();
            evicted += w.evicted;
            for (std::size_t n = 0; n < w.moved.size(); ++n) {
                BOOST_REQUIRE(within(w.told[n], w.last_known[n]));
                BOOST_REQUIRE((w.doubts[n] != 0 || w.told[n] == w.last_known[n]));
                right += w.told[n] == w.last_known[n] ? 1 : 0;
            }
        }
        BOOST_TEST_MESSAGE(capacity << ": evicted " << evicted << ", right " << right << " of "
                                    << seeds * options().flows);
        BOOST_TEST(evicted > 0U);
        BOOST_TEST(right > 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
