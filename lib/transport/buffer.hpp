// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event/trailer_pool.hpp"
#include "transport/record_tag.hpp"
#include "transport/ring_pass.hpp"
#include "transport/ring_states.hpp"
#include "transport/ring_window.hpp"

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>
#include <ctflow/event.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace ctflow::transport {

// A ring's memory, and how what is in it becomes events.
class ring_memory : public ring_window {
public:
    // How the records are framed: read_ring or read_bpf_ring.
    using framing = ring_pass (*)(std::span<const std::byte> data, std::uint64_t head,
                                  std::uint64_t tail, event_kind kind, trailer_pool& trailers,
                                  std::span<event> out);

    // Of records that have tags: read_netfilter_ring. They are updates.
    using tagged_framing = ring_pass (*)(std::span<const std::byte> data, std::uint64_t head,
                                         std::uint64_t tail, trailer_pool& trailers,
                                         std::span<event> out, std::span<record_tag> tags);

    ring_memory() = default;
    ring_memory(const ring_window& w, framing f) noexcept : ring_window(w), read_(f) {}
    ring_memory(const ring_window& w, tagged_framing f) noexcept
        : ring_window(w), read_tagged_(f) {}

    std::size_t size() const noexcept { return data().size(); }
    bool tagged() const noexcept { return read_tagged_ != nullptr; }

    // Tags are written if tagged().
    ring_pass read(std::uint64_t head, std::uint64_t tail, event_kind kind, trailer_pool& trailers,
                   std::span<event> out, std::span<record_tag> tags = {}) const {
        return tagged() ? read_tagged_(data(), head, tail, trailers, out, tags)
                        : read_(data(), head, tail, kind, trailers, out);
    }

private:
    framing read_ = nullptr;
    tagged_framing read_tagged_ = nullptr;
};

// What can be waited for, and what is read then.
struct ring {
    int fd = -1; // Not yet there.
    ring_memory memory = {};
    std::span<ctflow_ring_state> states = {}; // Of those who write it.
};

// The rings behind one map of the BPF programs.
class buffer {
public:
    virtual ~buffer() = default;
    buffer(const buffer&) = delete;
    buffer& operator=(const buffer&) = delete;

    const std::vector<ring>& rings() const noexcept { return rings_; }

    // That CPU has come online, perhaps not for the first time. If it has a ring for itself it has
    // a new one now: `take_over` is called with it, after which the one before, if any, is gone.
    using new_ring = std::function<void(const ring&)>;
    virtual error_code renew(std::size_t cpu, const new_ring& take_over) {
        (void)cpu;
        (void)take_over;
        return {};
    }

protected:
    buffer() = default;
    void add(const ring& r) { rings_.push_back(r); }

private:
    std::vector<ring> rings_;
};

// Opens the rings of a map that was made for this transport, and has that place among the states.
// `pages` is config::buffer_pages.
std::unique_ptr<buffer> open_buffer(transport_kind transport, int map_fd, std::size_t pages,
                                    const ring_states& states, std::size_t place, error_code& ec,
                                    diagnostics& diag);

} // namespace ctflow::transport
