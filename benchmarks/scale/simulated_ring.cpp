// SPDX-License-Identifier: Apache-2.0
#include "simulated_ring.hpp"

#include "transport/ring.hpp"

#include <ctflow/event.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <linux/perf_event.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ctflow::bench {
namespace {

constexpr std::size_t framed_length = 120; // Header, length of the raw data, and padding.

std::array<std::byte, framed_length> framed_record() {
    const perf_event_header header{PERF_RECORD_SAMPLE, 0, framed_length};
    const std::uint32_t raw_size = framed_length - sizeof(header) - sizeof(std::uint32_t);
    ctflow_record record{};
    record.kind = CTFLOW_RECORD_UPDATE;
    record.family = AF_INET;
    std::array<std::byte, framed_length> bytes{};
    std::memcpy(bytes.data(), &header, sizeof(header));
    std::memcpy(&bytes[sizeof(header)], &raw_size, sizeof(raw_size));
    std::memcpy(&bytes[sizeof(header) + sizeof(raw_size)], &record, sizeof(record));
    return bytes;
}

} // namespace

simulated_ring::simulated_ring(std::size_t size)
    : data_(size), fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
}

simulated_ring::~simulated_ring() {
    ::close(fd_);
}

transport::ring simulated_ring::ring() noexcept {
    return {fd_, {{&head_, &tail_, data_}, transport::read_ring}};
}

void simulated_ring::put(std::uint64_t position, const void* from, std::size_t n) noexcept {
    const auto at = static_cast<std::size_t>(position & (data_.size() - 1));
    const auto first = std::min(n, data_.size() - at);
    std::memcpy(&data_[at], from, first);
    std::memcpy(data_.data(), static_cast<const std::byte*>(from) + first, n - first);
}

void simulated_ring::write_record() noexcept {
    static const auto bytes = framed_record();
    put(head_, bytes.data(), bytes.size());
    head_ += bytes.size();
}

std::size_t simulated_ring::fill() noexcept {
    std::size_t n = 0;
    for (; head_ - tail_ + framed_length <= data_.size(); ++n) {
        write_record();
    }
    return n;
}

void simulated_ring::wake() const {
    const std::uint64_t one = 1;
    if (::write(fd_, &one, sizeof(one)) != sizeof(one)) {
        throw std::system_error(errno, std::generic_category(), "waking a ring");
    }
}

void simulated_ring::calm() const {
    std::uint64_t value = 0;
    if (::read(fd_, &value, sizeof(value)) < 0 && errno != EAGAIN) {
        throw std::system_error(errno, std::generic_category(), "calming a ring");
    }
}

} // namespace ctflow::bench
