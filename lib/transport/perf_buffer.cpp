// SPDX-License-Identifier: Apache-2.0
#include "transport/perf_buffer.hpp"

#include "bpf/explain.hpp"
#include "transport/ring.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ctflow::transport {
namespace {

std::size_t page_size() noexcept {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// An event that BPF programs on that CPU can write through. wakeup_events: its records wake the
// reader each so many; 0: none does, until half of the ring is full (rb->watermark in the kernel's
// kernel/events/ring_buffer.c).
int open_event(std::size_t cpu, std::uint32_t wakeup_events) noexcept {
    perf_event_attr attr{};
    attr.size = sizeof(attr);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_BPF_OUTPUT;
    attr.sample_type = PERF_SAMPLE_RAW;
    attr.sample_period = 1;
    attr.wakeup_events = wakeup_events;
    const long fd =
        ::syscall(SYS_perf_event_open, &attr, -1, static_cast<int>(cpu), -1, PERF_FLAG_FD_CLOEXEC);
    return static_cast<int>(fd);
}

// The array takes a reference to the event, which the descriptor is not needed for any more.
bool put(int map_fd, std::size_t slot, int event_fd) noexcept {
    const auto key = static_cast<std::uint32_t>(slot);
    return bpf_map_update_elem(map_fd, &key, &event_fd, BPF_ANY) == 0;
}

// Fills a CPU's two slots. With an event whose records go into the ring of the first, which is
// opened before either is put: there is no half of it.
bool put_both(int map_fd, std::size_t cpu, std::size_t lazy_slot, int eager) noexcept {
    const int lazy = open_event(cpu, 0);
    if (lazy < 0) {
        return false;
    }
    const bool good = ::ioctl(lazy, PERF_EVENT_IOC_SET_OUTPUT, eager) == 0 &&
                      put(map_fd, lazy_slot, lazy) && put(map_fd, cpu, eager);
    const int error = errno;
    ::close(lazy);
    errno = error;
    return good;
}

} // namespace

perf_buffer::event_ring::~event_ring() {
    if (base_ != nullptr) {
        ::munmap(base_, size_);
    }
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

int perf_buffer::event_ring::open(std::size_t cpu, std::size_t pages) noexcept {
    fd_ = open_event(cpu, 1);
    if (fd_ < 0) {
        return errno;
    }
    size_ = (pages + 1) * page_size();
    void* const base = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (base == MAP_FAILED) {
        return errno;
    }
    base_ = base;
    return 0;
}

ring_memory perf_buffer::event_ring::memory() const noexcept {
    auto* const control = static_cast<perf_event_mmap_page*>(base_);
    return {&control->data_head,
            &control->data_tail,
            {static_cast<const std::byte*>(base_) + page_size(), size_ - page_size()},
            read_ring};
}

void perf_buffer::event_ring::swap(event_ring& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(base_, other.base_);
    std::swap(size_, other.size_);
}

perf_buffer::perf_buffer(int map_fd, std::size_t pages, const ring_states& states,
                         std::size_t place, error_code& ec, diagnostics& diag)
    : map_fd_(map_fd), pages_(pages), states_(states), place_(place), events_(states.cpus()) {
    for (std::size_t cpu = 0; cpu < events_.size(); ++cpu) {
        const int error = open(cpu, events_[cpu]);
        if (error != 0 && error != ENODEV) {
            const error_code reason{error, boost::system::system_category()};
            ec = bpf::explain(
                {error, reason,
                 "the perf buffer of CPU " + std::to_string(cpu) + ": " + reason.message(), 0,
                 pages},
                bpf::current_circumstances(), diag);
            return;
        }
        add(error == 0 ? ring_of(cpu, events_[cpu]) : ring{});
    }
}

int perf_buffer::open(std::size_t cpu, event_ring& r) const noexcept {
    if (const int error = r.open(cpu, pages_)) {
        return error;
    }
    return put_both(map_fd_, cpu, states_.cpus() + cpu, r.fd()) ? 0 : errno;
}

ring perf_buffer::ring_of(std::size_t cpu, const event_ring& r) const noexcept {
    return {r.fd(), r.memory(), states_.of(place_, cpu)};
}

error_code perf_buffer::renew(std::size_t cpu, const new_ring& take_over) {
    event_ring fresh;
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
