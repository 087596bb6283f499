// SPDX-License-Identifier: Apache-2.0
#include "transport/perf_event.hpp"

#include <cerrno>
#include <utility>

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ctflow::transport {
namespace {

std::size_t page_size() noexcept {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

int open_perf_event(std::size_t cpu, std::uint32_t wakeup_events) noexcept {
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

bool put_perf_event(int map_fd, std::size_t slot, int event_fd) noexcept {
    const auto key = static_cast<std::uint32_t>(slot);
    return bpf_map_update_elem(map_fd, &key, &event_fd, BPF_ANY) == 0;
}

void remove_perf_event(int map_fd, std::size_t slot) noexcept {
    const auto key = static_cast<std::uint32_t>(slot);
    (void)bpf_map_delete_elem(map_fd, &key);
}

perf_event_ring::~perf_event_ring() {
    if (base_ != nullptr) {
        ::munmap(base_, size_);
    }
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

int perf_event_ring::open(std::size_t cpu, std::size_t pages,
                          std::uint32_t wakeup_events) noexcept {
    fd_ = open_perf_event(cpu, wakeup_events);
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

ring_window perf_event_ring::window() const noexcept {
    auto* const control = static_cast<perf_event_mmap_page*>(base_);
    return {&control->data_head,
            &control->data_tail,
            {static_cast<const std::byte*>(base_) + page_size(), size_ - page_size()}};
}

void perf_event_ring::swap(perf_event_ring& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(base_, other.base_);
    std::swap(size_, other.size_);
}

} // namespace ctflow::transport
