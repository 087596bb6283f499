// SPDX-License-Identifier: Apache-2.0
//
// CPUs that are offline when a probe is made, go offline, and come online. Wants four of them, of
// which the first stays.
#include "support/cpus.hpp"
#include "vm/watch.hpp"
#include "vm/world.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sched.h>
#include <unistd.h>

using namespace ctflow;
using namespace ctflow::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t cpus = 4;

class on_cpu {
public:
    explicit on_cpu(std::size_t cpu) {
        ::sched_getaffinity(0, sizeof(before_), &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        BOOST_REQUIRE(::sched_setaffinity(0, sizeof(one), &one) == 0);
    }
    ~on_cpu() { ::sched_setaffinity(0, sizeof(before_), &before_); }
    on_cpu(const on_cpu&) = delete;
    on_cpu& operator=(const on_cpu&) = delete;

private:
    cpu_set_t before_{};
};

// All CPUs are online after a test, as before.
struct machine : world {
    machine() {
        BOOST_REQUIRE_EQUAL(::sysconf(_SC_NPROCESSORS_CONF), static_cast<long>(cpus));
        BOOST_REQUIRE_EQUAL(::sysconf(_SC_NPROCESSORS_ONLN), static_cast<long>(cpus));
    }
    ~machine() {
        for (std::size_t cpu = 1; cpu < cpus; ++cpu) {
            std::ofstream("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online") << 1;
        }
    }

    // A flow that is handled on that CPU, in both network namespaces. Returns its port.
    std::uint16_t flow_on(std::size_t cpu) {
        const auto port = next_port++;
        auto a = bind_udp(net.a, "192.0.2.1", port);
        auto b = bind_udp(net.b, "192.0.2.2", port);
        const on_cpu here(cpu);
        send(a, b, 10);
        receive(b);
        return port;
    }

    static std::size_t events_of(const watch& w, std::uint16_t port) {
        return w.count(of_kind(event_kind::update) && from_port(port));
    }

    // A flow there has its first events, one for each namespace, and within a second.
    void check_flow_on(watch& w, std::size_t cpu) {
        BOOST_TEST_CONTEXT("CPU " << cpu) {
            const auto port = flow_on(cpu);
            w.until("its first events", [&] { return events_of(w, port) == 2; });
        }
    }

    std::uint16_t next_port = 1000;
};

} // namespace

BOOST_AUTO_TEST_SUITE(hotplug)

BOOST_FIXTURE_TEST_CASE(events_come_of_cpus_that_were_offline_when_the_probe_was_made, machine) {
    set_online(1, false); // So that the numbers of those that are there leave one out.
    set_online(3, false);
    watch w;
    for (const std::size_t cpu : {0U, 2U}) {
        check_flow_on(w, cpu);
    }
    for (const std::size_t cpu : {3U, 1U}) {
        set_online(cpu, true);
        w.idle(500ms);
        check_flow_on(w, cpu);
    }
    check_nothing_lost(w);
}

BOOST_FIXTURE_TEST_CASE(events_come_of_cpus_that_were_gone_for_a_while, machine) {
    watch w;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t cpu = 1; cpu < cpus; ++cpu) {
            const auto before = flow_on(cpu);
            set_online(cpu, false); // With events in its ring that nobody has read.
            w.until("what it left", [&] { return events_of(w, before) == 2; });
            set_online(cpu, true);
            w.idle(500ms);
            check_flow_on(w, cpu);
        }
    }
    check_nothing_lost(w);
}

BOOST_FIXTURE_TEST_CASE(what_a_cpu_left_is_read_once_it_is_back, machine) {
    watch w;
    const auto before = flow_on(2);
    set_online(2, false);
    set_online(2, true); // Its ring is another one now, and nobody has read the first.
    w.until("what it left", [&] { return events_of(w, before) == 2; });
    check_flow_on(w, 2);
    w.idle(200ms);
    BOOST_TEST(events_of(w, before) == 2U);
    check_nothing_lost(w);
}

// The kernel repeats a message for who asks: more than the socket holds, so that the one that
// matters is among those that are dropped. And rings are opened anew that are in use.
BOOST_FIXTURE_TEST_CASE(messages_of_the_kernel_may_be_dropped, machine) {
    set_online(3, false);
    watch w;
    for (int i = 0; i < 2000; ++i) {
        std::ofstream("/sys/devices/system/cpu/cpu1/uevent") << "online";
    }
    set_online(3, true);
    w.idle(500ms);
    for (const std::size_t cpu : {3U, 1U, 0U}) {
        check_flow_on(w, cpu);
    }
    check_nothing_lost(w);
}

BOOST_FIXTURE_TEST_CASE(nothing_turns_in_circles_when_a_cpu_is_gone, machine) {
    watch w;
    for (std::size_t cpu = 1; cpu < cpus; ++cpu) {
        set_online(cpu, false);
    }
    w.idle(200ms);
    w.ctx.restart();
    BOOST_TEST(w.ctx.run_for(1s) < 50U);
    check_flow_on(w, 0);
}

BOOST_FIXTURE_TEST_CASE(cpus_may_come_and_go_while_nobody_runs_the_probe, machine) {
    watch w;
    for (int round = 0; round < 3; ++round) {
        set_online(2, false);
        set_online(2, true);
    }
    w.idle(500ms);
    check_flow_on(w, 2);
    check_nothing_lost(w);
}

// Before a CPU that has come online has its ring, updates are lost, and say so. Destroys are not.
BOOST_FIXTURE_TEST_CASE(what_comes_before_the_ring_is_kept_or_counted, machine) {
    if (transport_under_test() == transport_kind::ring_buffer ||
        attach_under_test() == attach_mode::netfilter) {
        BOOST_TEST_MESSAGE("ring buffers are for all CPUs: there is no such moment");
        return;
    }
    set_online(2, false);
    watch w;
    w.poll();
    set_online(2, true); // While nobody reads.
    constexpr std::size_t flows = 20;
    std::set<std::uint16_t> ports;
    for (std::size_t i = 0; i < flows; ++i) {
        ports.insert(flow_on(2));
    }
    {
        const on_cpu here(2);
        net.a.run("conntrack -F");
        net.b.run("conntrack -F");
    }
    w.until("the destroy events", [&] {
        return w.count([&](const event& e) {
            return e.kind() == event_kind::destroy && ports.contains(e.src_port());
        }) == 2 * flows;
    });
    const auto s = w.stats();
    BOOST_TEST(s.updates_without_ring > 0U);
    BOOST_TEST(s.destroys_in_reserve > 0U);
    BOOST_TEST(s.perf_events_destroy_lost == 0U);
    BOOST_TEST(s.perf_events_update_lost == 0U);
    std::size_t updates = 0;
    for (const auto port : ports) {
        updates += events_of(w, port);
    }
    BOOST_TEST(updates < 2 * flows);
    BOOST_TEST(updates + s.updates_without_ring >= 2 * flows); // The machine has flows of its own.
}

BOOST_AUTO_TEST_SUITE_END()
