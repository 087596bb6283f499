// SPDX-License-Identifier: Apache-2.0
#include "transport/perf_records.hpp"

#include "bpf/explain.hpp"
#include "host/cpus.hpp"
#include "transport/keep_map.hpp"
#include "transport/perf_framing.hpp"

#include <ctflow/config.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

namespace ctflow::transport {
namespace {

// The length of a perf record is a __u16.
constexpr std::size_t longest_record = 65536;

// What the descriptor for the kernel's messages is called; rings begin with 1.
constexpr std::uint64_t news = 0;

error_code last_error() {
    return {errno, boost::system::system_category()};
}

} // namespace

perf_records::perf_records(int map_fd, const perf_buffer_options& options, error_code& ec,
                           diagnostics& diag)
    : options_(options), events_(ec) {
    if (!std::has_single_bit(options.pages) || options.pages > config::buffer_pages_limit) {
        ec = boost::asio::error::invalid_argument;
        diag = "perf_buffer_options::pages must be a power of two, such as 64, and at most 65536";
    }
    if (!ec) {
        map_fd_ = keep_map(map_fd, BPF_MAP_TYPE_PERF_EVENT_ARRAY, slots_, ec, diag);
    }
    slots_ = std::min(slots_, host::end_of_cpus());
    for (std::size_t cpu = 0; cpu < slots_ && !ec; ++cpu) {
        cpu_ring fresh{};
        const int error = open(cpu, fresh);
        if (error == 0) {
            rings_.push_back(std::move(fresh));
        } else if (error != ENODEV) { // Offline.
            const error_code reason{error, boost::system::system_category()};
            ec = bpf::explain(
                {error,
                 reason,
                 "the perf buffer of CPU " + std::to_string(cpu) + ": " + reason.message(),
                 {},
                 options.pages},
                bpf::current_circumstances(), diag);
        }
    }
}

// All or none: the slots of those that were replaced are empty if it fails.
void perf_records::start(error_code& ec, diagnostics& diag) {
    for (std::size_t i = 0; i < rings_.size(); ++i) {
        if (put_perf_event(map_fd_.get(), rings_[i].cpu, rings_[i].events.fd())) {
            continue;
        }
        ec = last_error();
        for (std::size_t done = 0; done < i; ++done) {
            remove_perf_event(map_fd_.get(), rings_[done].cpu);
        }
        diag = "the slot of CPU " + std::to_string(rings_[i].cpu) + " in the map: " + ec.message();
        return;
    }
}

// Opens a ring of a CPU, perhaps not its first. Returns an errno.
int perf_records::open(std::size_t cpu, cpu_ring& fresh) {
    fresh.cpu = cpu;
    fresh.name = ++opened_;
    if (const int error = fresh.events.open(cpu, options_.pages, options_.wakeup_records)) {
        return error;
    }
    fresh.window = fresh.events.window();
    fresh.whole = std::make_unique_for_overwrite<std::byte[]>(
        std::min(longest_record, fresh.window.data().size()));
    return 0;
}

// For a CPU that has come online. Returns an errno.
int perf_records::add(std::size_t cpu) {
    cpu_ring fresh{};
    if (const int error = open(cpu, fresh)) {
        return error;
    }
    const int fd = fresh.events.fd();
    error_code ec;
    if (paused_ && ::ioctl(fd, PERF_EVENT_IOC_PAUSE_OUTPUT, 1) != 0) {
        return errno;
    }
    if (!watch(fresh.name, fd, ec)) {
        return ec.value();
    }
    rings_.reserve(rings_.size() + 1);
    if (!put_perf_event(map_fd_.get(), cpu, fd)) {
        return errno;
    }
    for (auto& r : rings_) {
        if (r.cpu == cpu) {
            bury(r);
        }
    }
    rings_.push_back(std::move(fresh));
    return 0;
}

// One for all, of which the reactor has to know nothing more. Its items are never fetched in the
// normal course: whether there is something to read is seen in the rings.
int perf_records::descriptor(error_code& ec) {
    host::unique_fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) {
        ec = last_error();
        return -1;
    }
    epoll_fd_ = epoll.get();
    for (const auto& r : rings_) {
        if (!watch(r.name, r.events.fd(), ec)) {
            return -1;
        }
    }
    if (events_.fd() >= 0 && !watch(news, events_.fd(), ec)) {
        return -1;
    }
    return epoll.release();
}

bool perf_records::watch(std::uint64_t name, int fd, error_code& ec) const noexcept {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = name;
    const bool good = ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &wanted) == 0;
    if (!good) {
        ec = last_error();
    }
    return good;
}

// What it holds can still be taken.
void perf_records::bury(cpu_ring& r) const noexcept {
    if (!std::exchange(r.dead, true)) {
        (void)::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, r.events.fd(), nullptr);
    }
}

void perf_records::mark() noexcept {
    for (auto& r : rings_) {
        r.mark = r.window.head();
    }
}

bool perf_records::reached_mark() const noexcept {
    return std::ranges::all_of(rings_,
                               [](const cpu_ring& r) { return is_at_or_after(r.taken, r.mark); });
}

void perf_records::release() noexcept {
    for (const auto& r : rings_) {
        r.window.set_tail(r.taken);
    }
    std::erase_if(rings_, [](const cpu_ring& r) { return r.dead && r.window.head() == r.taken; });
}

bool perf_records::ready() const noexcept {
    return std::ranges::any_of(rings_,
                               [](const cpu_ring& r) { return r.window.head() != r.taken; });
}

std::size_t perf_records::take(std::span<perf_record> out) {
    // Who never sleeps never looks why it was woken.
    if (++turns_ % 64 == 0) {
        hear_news();
    }
    std::size_t count = 0;
    for (std::size_t i = rings_.size(); i > 0 && count < out.size(); --i) {
        next_ = (next_ + 1) % rings_.size();
        count += take_from(rings_[next_], out.subspan(count));
    }
    if (count == 0) {
        release(); // Of what was no record.
    }
    return count;
}

std::size_t perf_records::take_from(cpu_ring& r, std::span<perf_record> out) {
    const auto pass =
        pass_over_perf(r.window.data(), r.window.head(), r.taken, out.size(),
                       [&](std::uint64_t position, std::uint64_t length, std::size_t index) {
                           out[index] = {bytes(r, position, length), r.cpu};
                           stats_.bytes += length;
                           return true;
                       });
    r.taken = pass.tail;
    stats_.records += pass.events;
    stats_.lost += pass.lost;
    stats_.malformed += pass.malformed;
    return pass.events;
}

// Of one take, at most one record is cut in two: it does not go around the ring twice.
std::span<const std::byte> perf_records::bytes(const cpu_ring& r, std::uint64_t position,
                                               std::uint64_t length) const noexcept {
    const auto data = r.window.data();
    const auto offset = static_cast<std::size_t>(position & (data.size() - 1));
    const auto size = static_cast<std::size_t>(length);
    const auto first = data.size() - offset;
    if (size <= first) {
        return data.subspan(offset, size);
    }
    std::memcpy(r.whole.get(), data.data() + offset, first);
    std::memcpy(r.whole.get() + first, data.data(), size - first);
    return {r.whole.get(), size};
}

// CPUs have come or gone, or what was there has been read before it was its turn.
error_code perf_records::look_why() {
    std::array<epoll_event, 16> found;
    const int n = ::epoll_wait(epoll_fd_, found.data(), static_cast<int>(found.size()), 0);
    for (int i = 0; i < n; ++i) {
        const auto& each = found[static_cast<std::size_t>(i)];
        if (each.data.u64 == news) {
            hear_news();
        } else if ((each.events & (EPOLLHUP | EPOLLERR)) != 0) {
            // It would say so for ever.
            for (auto& r : rings_) {
                if (r.name == each.data.u64) {
                    bury(r);
                }
            }
        }
    }
    const bool hopeless =
        events_.fd() < 0 && std::ranges::all_of(rings_, [](const auto& r) { return r.dead; });
    return hopeless ? boost::asio::error::eof : error_code();
}

// A CPU for which no ring can be opened goes without, until it comes online the next time.
void perf_records::hear_news() noexcept {
    if (events_.fd() < 0) {
        return;
    }
    try {
        const auto heard = events_.take();
        for (std::size_t cpu = 0; heard.dropped && cpu < slots_; ++cpu) {
            (void)add(cpu);
        }
        for (const auto cpu : heard.online) {
            if (cpu < slots_) {
                (void)add(cpu);
            }
        }
    } catch (const std::bad_alloc&) {
        // No memory for a ring. The others go on.
    }
}

error_code perf_records::pause(bool paused) noexcept {
    paused_ = paused;
    error_code ec;
    for (const auto& r : rings_) {
        if (!r.dead && ::ioctl(r.events.fd(), PERF_EVENT_IOC_PAUSE_OUTPUT, paused ? 1 : 0) != 0) {
            ec = last_error();
        }
    }
    return ec;
}

} // namespace ctflow::transport

namespace ctflow::detail {

std::unique_ptr<perf_source> perf_source::open(int map_fd, const perf_buffer_options& options,
                                               error_code& ec, diagnostics& diag) {
    return std::make_unique<transport::perf_records>(map_fd, options, ec, diag);
}

} // namespace ctflow::detail
