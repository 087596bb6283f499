// SPDX-License-Identifier: Apache-2.0
#include "ctnetlink/end_source.hpp"

#include <ctflow/clock.hpp>

#include <cerrno>
#include <cstring>
#include <utility>

#include <libmnl/libmnl.h>

namespace ctflow::ctnetlink {
namespace {

// There is one writer.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

std::uint64_t boot_now() noexcept {
    return static_cast<std::uint64_t>(boot_clock::now().time_since_epoch().count());
}

// Of a NLMSG_DONE or NLMSG_ERROR, both of which begin with it.
int error_of(const nlmsghdr& header) noexcept {
    int error = 0;
    if (mnl_nlmsg_get_payload_len(&header) >= sizeof(error)) {
        std::memcpy(&error, mnl_nlmsg_get_payload(&header), sizeof(error));
    }
    return -error;
}

} // namespace

end_source::end_source(flow_book& book, std::size_t buffer, std::chrono::nanoseconds interval,
                       sink on_ended)
    : book_(book), buffer_(buffer), interval_(interval), on_ended_(std::move(on_ended)) {
    taken_.reserve(2 * budget);
}

void end_source::open(error_code& ec, diagnostics& diag) {
    close();
    socket_.open(buffer_, ec, diag);
    drops_ = 0;
}

void end_source::close() noexcept {
    socket_.close();
    taken_.clear();
    read_empty_ = needed_ = listing_ = incomplete_ = false;
    empty_at_ = caught_up_ = 0;
    failures_ = 0;
}

void end_source::tick() {
    needed_ = book_.in_doubt() || needed_;
}

bool end_source::take() {
    const auto now = boot_now();
    if (taken_.empty()) {
        caught_up_ = empty_at_;
    }
    read_empty_ = false;
    // Other than by messages there is no end to errors, were it not for the count.
    for (std::size_t i = 0; i < budget && taken_.size() < budget && !read_empty_; ++i) {
        const int error = socket_.receive();
        for (std::size_t d = 0; d < socket_.received(); ++d) {
            take_datagram(socket_.datagram(d));
            if (socket_.truncated(d)) {
                taken_.push_back({what::interrupted, 0, list_sequence_, {}});
            }
        }
        if (error == EAGAIN) {
            read_empty_ = true;
            empty_at_ = now;
        } else if (error != 0 && error != EINTR) {
            needed_ = true;
            add(overruns_, error == ENOBUFS ? 1 : 0);
        }
    }
    return read_empty_ && !needed_ && !listing_;
}

bool end_source::tell() {
    const auto now = boot_now();
    book_.take_others(ended_); // By what was in the rings.
    for (const auto& t : taken_) {
        on_taken(t, now);
    }
    taken_.clear();
    book_.take_others(ended_);
    if (needed_ || listing_) {
        count_drops();
    }
    if (read_empty_ && listing_) {
        nudge();
    } else if (read_empty_ && needed_) {
        begin_list(now);
    }
    hand_on();
    return !needed_ && !listing_;
}

void end_source::settle() {
    book_.settle(ended_);
    hand_on();
}

end_stats end_source::stats() const noexcept {
    const auto read = [](const counter& c) {
        return c.load(std::memory_order_relaxed);
    };
    return {.overruns = read(overruns_),
            .messages_lost = read(messages_lost_),
            .reconstructed = read(reconstructed_),
            .unaccounted = read(unaccounted_),
            .resyncs = read(resyncs_),
            .resyncs_failed = read(resyncs_failed_)};
}

void end_source::take_datagram(std::span<const std::byte> bytes) {
    int left = static_cast<int>(bytes.size());
    for (const auto* header = reinterpret_cast<const nlmsghdr*>(bytes.data());
         mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
        take_message(*header);
    }
}

void end_source::take_message(const nlmsghdr& header) {
    if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
        taken_.push_back({what::interrupted, 0, header.nlmsg_seq, {}});
    }
    if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
        taken_.push_back({what::done, error_of(header), header.nlmsg_seq, {}});
    } else if (const auto m = parse(
                   {reinterpret_cast<const std::byte*>(&header), std::size_t{header.nlmsg_len}})) {
        const bool listed = m->kind == message_kind::flow;
        taken_.push_back({listed ? what::listed : what::end, 0, header.nlmsg_seq, *m});
    }
}

void end_source::on_taken(const taken& t, std::uint64_t now) {
    if (t.kind == what::end) {
        needed_ = !book_.on_end(t.about, {now, caught_up_}, ended_) || needed_;
        return;
    }
    if (!listing_ || t.sequence != list_sequence_) {
        return; // An answer to a nudge, or of a list that was given up.
    }
    switch (t.kind) {
    case what::listed:
        book_.on_listed(t.about);
        break;
    case what::interrupted:
        incomplete_ = true;
        break;
    default:
        on_list_done(t.error, now);
    }
}

void end_source::on_list_done(int error, std::uint64_t now) {
    listing_ = false;
    if (error != 0 || incomplete_) {
        needed_ = true;
        (void)give_up();
        return;
    }
    failures_ = 0;
    needed_ = !book_.end_resync(now, ended_) || needed_;
    add(resyncs_, 1);
    count_drops(); // ENOBUFS tells of the first that is lost, not of the last.
}

// What is in the rings has been told to the book: of what happened up to now nothing is missing but
// ends.
void end_source::begin_list(std::uint64_t now) {
    list_sequence_ = ++sequence_;
    incomplete_ = false;
    book_.begin_resync(now);
    if (socket_.request_flows(list_sequence_) == 0) {
        needed_ = false;
        listing_ = true;
    } else {
        (void)give_up();
    }
}

void end_source::nudge() {
    if (!give_up()) {
        (void)socket_.request_statistics(++sequence_);
    }
}

bool end_source::give_up() {
    if (++failures_ < patience) {
        return false;
    }
    failures_ = 0;
    needed_ = listing_ = false;
    book_.settle(ended_);
    add(resyncs_failed_, 1);
    return true;
}

void end_source::count_drops() {
    const auto drops = socket_.drops();
    if (drops != drops_) {
        add(messages_lost_, drops - drops_); // It wraps around.
        drops_ = drops;
        needed_ = true;
    }
}

void end_source::hand_on() {
    if (ended_.empty()) {
        return;
    }
    std::uint64_t reconstructed = 0;
    std::uint64_t unaccounted = 0;
    for (const auto& e : ended_) {
        reconstructed += e.reconstructed ? 1 : 0;
        unaccounted += e.told ? 0 : 1;
    }
    add(reconstructed_, reconstructed);
    add(unaccounted_, unaccounted);
    on_ended_(ended_);
    ended_.clear();
}

} // namespace ctflow::ctnetlink
