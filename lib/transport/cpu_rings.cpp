// SPDX-License-Identifier: Apache-2.0
#include "transport/cpu_rings.hpp"

#include "bpf/explain.hpp"
#include "transport/ring.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ctflow::transport {
namespace {

// Fills a CPU's two slots. With an event whose records go into the ring of the first, which is
// opened before either is put: there is no half of it.
bool put_both(int map_fd, std::size_t cpu, std::size_t lazy_slot, int eager) noexcept {
    const int lazy = open_perf_event(cpu, 0);
    if (lazy < 0) {
        return false;
    }
    const bool good = ::ioctl(lazy, PERF_EVENT_IOC_SET_OUTPUT, eager) == 0 &&
                      put_perf_event(map_fd, lazy_slot, lazy) && put_perf_event(map_fd, cpu, eager);
    const int error = errno;
    ::close(lazy);
    errno = error;
    return good;
}

} // namespace

cpu_rings::cpu_rings(int map_fd, std::size_t pages, const ring_states& states, std::size_t place,
                     error_code& ec, diagnostics& diag)
    : map_fd_(map_fd), pages_(pages), states_(states), place_(place), events_(states.cpus()) {
    for (std::size_t cpu = 0; cpu < events_.size(); ++cpu) {
        const int error = open(cpu, events_[cpu]);
        if (error != 0 && error != ENODEV) {
            const error_code reason{error, boost::system::system_category()};
            ec = bpf::explain(
                {error,
                 reason,
                 "the perf buffer of CPU " + std::to_string(cpu) + ": " + reason.message(),
                 {},
                 pages},
                bpf::current_circumstances(), diag);
            return;
        }
        add(error == 0 ? ring_of(cpu, events_[cpu]) : ring{});
    }
}

int cpu_rings::open(std::size_t cpu, perf_event_ring& r) const noexcept {
    if (const int error = r.open(cpu, pages_)) {
        return error;
    }
    return put_both(map_fd_, cpu, states_.cpus() + cpu, r.fd()) ? 0 : errno;
}

ring cpu_rings::ring_of(std::size_t cpu, const perf_event_ring& r) const noexcept {
    return {r.fd(), ring_memory(r.window(), read_ring), states_.of(place_, cpu)};
}

error_code cpu_rings::renew(std::size_t cpu, const new_ring& take_over) {
    perf_event_ring fresh;
    if (const int error = open(cpu, fresh)) {
        return {error, boost::system::system_category()};
    }
    // Who has found the events of before is still writing: it said so before it looked. That takes
    // a moment; but a hypervisor may stop a CPU in the middle of it.
    const std::atomic_ref under_way(states_.of(place_, cpu).front().word);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    while (under_way.load() != 0 && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
    }
    std::swap(events_[cpu], fresh); // What was there lives until it has been taken over.
    take_over(ring_of(cpu, events_[cpu]));
    return {};
}

} // namespace ctflow::transport
