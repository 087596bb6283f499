// SPDX-License-Identifier: Apache-2.0
#include "transport/ring_buffer.hpp"

#include "transport/bpf_ring.hpp"

#include <cerrno>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ctflow::transport {

// The map's memory (ringbuf_map_mmap() in kernel/bpf/ringbuf.c): a page that begins with the
// consumer's position, ours to write; one that begins with the producer's; and then the data. The
// two latter are for reading only, and a mapping of the first may have no other page.
ring_buffer::ring_buffer(int map_fd, content c, std::span<ctflow_ring_state> states,
                         error_code& ec) {
    static_assert(sizeof(unsigned long) == sizeof(ring_memory::position));

    bpf_map_info info{};
    std::uint32_t length = sizeof(info);
    if (bpf_obj_get_info_by_fd(map_fd, &info, &length) != 0) {
        ec.assign(errno, boost::system::system_category());
        return;
    }
    const auto page_size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t size = info.max_entries;
    void* const consumer = map(map_fd, page_size, PROT_READ | PROT_WRITE, 0, ec);
    void* const producer = ec ? nullptr : map(map_fd, page_size + size, PROT_READ, page_size, ec);
    if (ec) {
        return;
    }
    auto* const head = static_cast<ring_memory::position*>(producer);
    auto* const tail = static_cast<ring_memory::position*>(consumer);
    const std::span data{static_cast<const std::byte*>(producer) + page_size, size};
    add({map_fd,
         c == content::tagged ? ring_memory(head, tail, data, read_netfilter_ring)
                              : ring_memory(head, tail, data, read_bpf_ring),
         states});
}

ring_buffer::~ring_buffer() {
    for (const auto& each : mappings_) {
        ::munmap(each.base, each.size);
    }
}

void* ring_buffer::map(int fd, std::size_t size, int protection, std::size_t offset,
                       error_code& ec) {
    void* const base =
        ::mmap(nullptr, size, protection, MAP_SHARED, fd, static_cast<off_t>(offset));
    if (base == MAP_FAILED) {
        ec.assign(errno, boost::system::system_category());
        return nullptr;
    }
    mappings_.push_back({base, size});
    return base;
}

} // namespace ctflow::transport
