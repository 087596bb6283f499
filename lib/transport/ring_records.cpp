// SPDX-License-Identifier: Apache-2.0
#include "transport/ring_records.hpp"

#include "transport/bpf_framing.hpp"
#include "transport/keep_map.hpp"

#include <atomic>
#include <cerrno>
#include <utility>

#include <sys/epoll.h>

namespace ctflow::transport {

ring_records::ring_records(host::unique_fd map_fd, error_code& ec)
    : map_fd_(std::move(map_fd)), map_(map_fd_.get(), bpf_ring_map::data::twice, ec),
      taken_(map_.window().tail()) {}

// Who reads on does not get again what was handed out here.
ring_records::~ring_records() {
    release();
}

void ring_records::mark() noexcept {
    mark_ = map_.window().head();
}

bool ring_records::reached_mark() const noexcept {
    return is_at_or_after(taken_, mark_);
}

// Not the map's own: that is readable, and the reactor told so at each wait, as long as a record is
// reserved and not committed yet (ringbuf_map_poll()). This one is told of a commit, once.
int ring_records::descriptor(error_code& ec) {
    host::unique_fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event wanted{};
    wanted.events = EPOLLIN | EPOLLET;
    if (!epoll || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, map_fd_.get(), &wanted) != 0) {
        ec.assign(errno, boost::system::system_category());
        return -1;
    }
    return epoll_fd_ = epoll.release();
}

// What was there has been read before, or is not committed: the kernel will wake us, since we have
// caught up with it.
error_code ring_records::look_why() noexcept {
    epoll_event ignored{};
    (void)::epoll_wait(epoll_fd_, &ignored, 1, 0); // Which makes it unreadable.
    return {};
}

// The kernel wakes nobody who has not caught up (bpf_ringbuf_commit(): it writes the record's
// length, then reads this position, with a barrier between). We write the position, then read the
// length: with a barrier too, one of the two sees the other. Never back: who replaces this may have
// gone on.
void ring_records::release() noexcept {
    const auto& window = map_.window();
    if (!is_at_or_after(window.tail(), taken_)) {
        window.set_tail(taken_);
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

bool ring_records::ready() const noexcept {
    const auto& window = map_.window();
    if (taken_ % 8 != 0) {
        return window.head() != taken_; // No record begins there: take() passes it over.
    }
    return window.head() != taken_ &&
           (load_length(window.data(), taken_) & BPF_RINGBUF_BUSY_BIT) == 0;
}

std::size_t ring_records::take(std::span<ring_record> out) {
    const auto& window = map_.window();
    const auto data = window.data();
    if (!is_at_or_after(taken_, window.tail())) {
        taken_ = window.tail(); // Whom this replaces has given it back after we were made.
    }
    const auto pass =
        pass_over_bpf(data, window.head(), taken_, out.size(),
                      [&](std::uint64_t position, std::uint64_t length, std::size_t index) {
                          // Beyond the ring's end, what is mapped a second time.
                          const auto offset =
                              static_cast<std::size_t>(position & (data.size() - 1));
                          out[index] = {{data.data() + offset, static_cast<std::size_t>(length)}};
                          stats_.bytes += length;
                          return true;
                      });
    taken_ = pass.tail;
    stats_.records += pass.events;
    stats_.malformed += pass.malformed;
    if (pass.events == 0) {
        release(); // Of what was discarded.
    }
    return pass.events;
}

} // namespace ctflow::transport

namespace ctflow::detail {

std::unique_ptr<ring_source> ring_source::open(int map_fd, error_code& ec, diagnostics& diag) {
    std::size_t size = 0;
    auto kept = transport::keep_map(map_fd, BPF_MAP_TYPE_RINGBUF, size, ec, diag);
    if (ec) {
        return nullptr;
    }
    auto source = std::make_unique<transport::ring_records>(std::move(kept), ec);
    if (ec) {
        diag = "mapping the ring: " + ec.message();
    }
    return source;
}

} // namespace ctflow::detail
