// SPDX-License-Identifier: Apache-2.0
#include "transport/bpf_ring.hpp"

#include "netfilter_record.h"
#include "transport/ring_bytes.hpp"

#include <algorithm>

#include <linux/bpf.h>

namespace ctflow::transport {
namespace {

constexpr std::uint64_t header_size = BPF_RINGBUF_HDR_SZ;

// The length and the flags of a record. The kernel sets them last, with a barrier
// (bpf_ringbuf_commit()): what is read after them is what was written before.
std::uint32_t load_length(std::span<const std::byte> data, std::uint64_t position) noexcept {
    const auto offset = static_cast<std::size_t>(position & (data.size() - 1));
    // No std::atomic_ref, which C++20 has not for what is const.
    return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(data.data() + offset),
                           __ATOMIC_ACQUIRE);
}

// `take` is given the position and length of each record, and says whether it is an event.
template <class Take>
ring_pass pass_over(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                    std::size_t room, const Take& take) noexcept {
    ring_pass pass{.tail = tail};
    while (pass.tail != head && pass.events < room) {
        const std::uint64_t left = head - pass.tail;
        const bool possible = left >= header_size && left <= data.size() && pass.tail % 8 == 0;
        const std::uint32_t word = possible ? load_length(data, pass.tail) : 0;
        if ((word & BPF_RINGBUF_BUSY_BIT) != 0) {
            pass.unfinished = true;
            break;
        }
        const std::uint64_t length = word & ~BPF_RINGBUF_DISCARD_BIT;
        const std::uint64_t size = (header_size + length + 7) / 8 * 8;
        if (!possible || size > left) {
            ++pass.malformed;
            pass.tail = head;
            break;
        }
        if ((word & BPF_RINGBUF_DISCARD_BIT) == 0) {
            ++(take(pass.tail + header_size, length, pass.events) ? pass.events : pass.malformed);
        }
        pass.tail += size;
    }
    return pass;
}

} // namespace

ring_pass read_bpf_ring(std::span<const std::byte> data, std::uint64_t head, std::uint64_t tail,
                        event_kind kind, std::span<event> out) noexcept {
    return pass_over(data, head, tail, out.size(),
                     [&](std::uint64_t position, std::uint64_t length, std::size_t index) {
                         const auto record = length >= event_length
                                                 ? load<ctflow_record>(data, position)
                                                 : ctflow_record{};
                         const bool good = is_record(record, kind);
                         if (good) {
                             out[index] = event(record);
                         }
                         return good;
                     });
}

ring_pass read_netfilter_ring(std::span<const std::byte> data, std::uint64_t head,
                              std::uint64_t tail, std::span<event> out,
                              std::span<record_tag> tags) noexcept {
    return pass_over(data, head, tail, std::min(out.size(), tags.size()),
                     [&](std::uint64_t position, std::uint64_t length, std::size_t index) {
                         const auto update = length >= sizeof(ctflow_netfilter_record)
                                                 ? load<ctflow_netfilter_record>(data, position)
                                                 : ctflow_netfilter_record{};
                         const bool good = is_record(update.record, event_kind::update);
                         if (good) {
                             out[index] = event(update.record);
                             tags[index] = {update.zone, update.begins != 0};
                         }
                         return good;
                     });
}

} // namespace ctflow::transport
