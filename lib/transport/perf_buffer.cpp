// SPDX-License-Identifier: Apache-2.0
#include "transport/perf_buffer.hpp"

#include "bpf/explain.hpp"
#include "transport/ring.hpp"

#include <cerrno>
#include <cstdint>
#include <string>

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ctflow::transport {
namespace {

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

// A second event, the records of which go into the ring of the first.
bool add_lazy(int map_fd, std::size_t cpu, std::size_t slot, int eager) noexcept {
    const int fd = open_event(cpu, 0);
    if (fd < 0) {
        return false;
    }
    const bool good = ::ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, eager) == 0 && put(map_fd, slot, fd);
    const int error = errno;
    ::close(fd);
    errno = error;
    return good;
}

} // namespace

perf_buffer::perf_buffer(int map_fd, std::size_t pages, const ring_states& states,
                         std::size_t place, error_code& ec, diagnostics& diag) {
    for (std::size_t cpu = 0; cpu < states.cpus(); ++cpu) {
        const int error = open_ring(map_fd, cpu, pages, states, place);
        if (error != 0 && error != ENODEV) {
            const error_code reason{error, boost::system::system_category()};
            ec = bpf::explain(
                {error, reason,
                 "the perf buffer of CPU " + std::to_string(cpu) + ": " + reason.message(), 0,
                 pages},
                bpf::current_circumstances(), diag);
            return;
        }
    }
}

perf_buffer::~perf_buffer() {
    for (const auto& each : events_) {
        ::munmap(each.base, each.size);
        ::close(each.fd);
    }
}

int perf_buffer::open_ring(int map_fd, std::size_t cpu, std::size_t pages,
                           const ring_states& states, std::size_t place) {
    events_.reserve(events_.size() + 1);
    const int fd = open_event(cpu, 1);
    if (fd < 0) {
        return errno;
    }
    const auto page_size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t size = (pages + 1) * page_size;
    void* const base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        const int error = errno;
        ::close(fd);
        return error;
    }
    events_.push_back({fd, base, size});
    if (!put(map_fd, cpu, fd) || !add_lazy(map_fd, cpu, states.cpus() + cpu, fd)) {
        return errno;
    }
    auto* const control = static_cast<perf_event_mmap_page*>(base);
    add({fd,
         {&control->data_head,
          &control->data_tail,
          {static_cast<const std::byte*>(base) + page_size, size - page_size},
          read_ring},
         states.of(place, cpu)});
    return 0;
}

} // namespace ctflow::transport
