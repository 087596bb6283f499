// SPDX-License-Identifier: Apache-2.0
#include "transport/bpf_ring_map.hpp"

#include <cerrno>
#include <cstdint>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ctflow::transport {

// The map's memory (ringbuf_map_mmap() in kernel/bpf/ringbuf.c): a page that begins with the
// consumer's position, ours to write; one that begins with the producer's; and then the data, twice
// in a row. The two latter are for reading only, and a mapping of the first may have no other page.
bpf_ring_map::bpf_ring_map(int map_fd, data d, error_code& ec) {
    static_assert(sizeof(unsigned long) == sizeof(ring_window::position));

    bpf_map_info info{};
    std::uint32_t length = sizeof(info);
    if (bpf_obj_get_info_by_fd(map_fd, &info, &length) != 0) {
        ec.assign(errno, boost::system::system_category());
        return;
    }
    const auto page_size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t size = info.max_entries;
    const std::size_t mapped = d == data::twice ? 2 * size : size;
    consumer_ = map(map_fd, page_size, PROT_READ | PROT_WRITE, 0, ec);
    if (ec) {
        return;
    }
    producer_ = map(map_fd, page_size + mapped, PROT_READ, page_size, ec);
    if (ec) {
        return;
    }
    window_ = {static_cast<ring_window::position*>(producer_.base),
               static_cast<ring_window::position*>(consumer_.base),
               {static_cast<const std::byte*>(producer_.base) + page_size, size}};
}

bpf_ring_map::~bpf_ring_map() {
    unmap(consumer_);
    unmap(producer_);
}

bpf_ring_map::mapping bpf_ring_map::map(int fd, std::size_t size, int protection,
                                        std::size_t offset, error_code& ec) {
    void* const base =
        ::mmap(nullptr, size, protection, MAP_SHARED, fd, static_cast<off_t>(offset));
    if (base == MAP_FAILED) {
        ec.assign(errno, boost::system::system_category());
        return {};
    }
    return {base, size};
}

void bpf_ring_map::unmap(const mapping& m) noexcept {
    if (m.base != nullptr) {
        ::munmap(m.base, m.size);
    }
}

} // namespace ctflow::transport
