// SPDX-License-Identifier: Apache-2.0
#include "ctnetlink/flow_book.hpp"

#include "ctnetlink/last_words.hpp"
#include "event/keyed_hash.hpp"
#include "netfilter_record.h"

#include <ctflow/detail/status.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

namespace ctflow::ctnetlink {
namespace {

flow_key key_of(const ctflow_record& r, std::uint16_t zone) noexcept {
    flow_key key;
    std::memcpy(key.src_addr.data(), r.src_addr, key.src_addr.size());
    std::memcpy(key.dst_addr.data(), r.dst_addr, key.dst_addr.size());
    key.src_port = r.src_port;
    key.dst_port = r.dst_port;
    key.zone = zone;
    key.proto = r.proto;
    key.family = r.family;
    return key;
}

} // namespace

std::size_t flow_book::hash::operator()(const flow_key& key) const noexcept {
    return keyed_hash(std::bit_cast<std::array<std::uint64_t, 5>>(key), seed);
}

flow_book::flow_book(unrecorded ask, std::size_t expected)
    : doubtful_(std::move(ask)), newest_(0, hash{random_seed()}) {
    entries_.reserve(expected);
    newest_.reserve(expected);
}

void flow_book::on_update(ctflow_record& r, const ctflow_trailer* trailer,
                          transport::record_tag tag) {
    const auto place = newest_.try_emplace(key_of(r, tag.zone), none).first;
    index i = tag.begins ? none : place->second;
    while (i != none && entries_[i].record.conntrack != r.conntrack) {
        i = entries_[i].older;
    }
    if (i != none && is_another(entries_[i], r, tag)) {
        i = none;
    }
    if (i == none) {
        place->second = add(r, tag, place->second);
        keep(place->second, trailer);
        return;
    }
    if (!doubtful_.empty() && doubtful_.is_refuted_by(i, r)) {
        disown(i, others_);
    }
    auto& e = entries_[i];
    if (r.start != 0) {
        e.real_start = r.start;
    }
    r.start = e.record.start;
    e.record = r;
    e.origin = tag.origin; // Should the program have forgotten it meanwhile.
    keep(i, trailer);
    confirm(e);
}

void flow_book::keep(index i, const ctflow_trailer* trailer) {
    if (trailer != nullptr) {
        trailers_.insert_or_assign(i, *trailer);
    } else if (!trailers_.empty()) {
        trailers_.erase(i);
    }
}

// The kernel's time stamps are better than ours, which know the end only when it is told.
void flow_book::set_last_words(ended& e, index its, const message& m, std::uint64_t now) const {
    ctnetlink::set_last_words(e.record, m);
    if (its != none) {
        if (const auto kept = trailers_.find(its); kept != trailers_.end()) {
            e.trailer = kept->second;
        }
    }
    ctnetlink::set_last_words(e.trailer, e.record, m);
    if (m.start != 0 && m.stop > m.start) {
        e.trailer.duration = m.stop - m.start;
    } else if (its != none && entries_[its].birth != 0) {
        e.trailer.duration = now - entries_[its].birth;
    }
}

bool flow_book::on_end(const message& m, const reading& at, std::vector<ended>& out) {
    const auto place = newest_.find(m.key);
    if (place == newest_.end()) {
        tell(none, m, at, out);
        return true;
    }
    auto its = match(place->second, m.start);
    if (its != none && has_ended(its, place->second, m, at)) {
        tell_all_over(unlink(place->second, its, m.start), at.now, out);
        tell_over(its, at.now, out);
        its = match(place->second, m.start);
    }
    if (its != none) {
        disown(its, out); // There is another for it.
        if (is_doubtful(entries_[its], at)) {
            doubtful_.add(its, m, at, resync_.number);
            return false;
        }
    }
    tell_all_over(unlink(place->second, its, m.start), at.now, out);
    if (place->second == none) {
        newest_.erase(place);
    }
    tell(its, m, at, out);
    return true;
}

void flow_book::take_others(std::vector<ended>& out) {
    out.insert(out.end(), others_.begin(), others_.end());
    others_.clear();
}

void flow_book::settle(std::vector<ended>& out) {
    take_others(out);
    while (const auto i = doubtful_.any()) {
        disown(*i, out);
        auto& e = entries_[*i];
        if (std::exchange(e.confirmed, false)) {
            e.generation = generation_;
            ++young_;
        }
    }
}

// The end of a flow that is in the book no more, or, if `its` is none, of one without records.
void flow_book::tell(index its, const message& m, const reading& at, std::vector<ended>& out) {
    ended e{};
    if (its != none) {
        e.record = entries_[its].record;
        e.origin = entries_[its].origin;
    } else {
        e.record = record_of(m);
    }
    e.conntrack = e.record.conntrack;
    e.stop = m.stop;
    e.caught_up = at.caught_up;
    e.told = m.has_counters;
    e.record.kind = CTFLOW_RECORD_DESTROY;
    e.record.timestamp = at.now;
    e.record.netns = netns_;
    set_last_words(e, its, m, at.now);
    if (its != none) {
        release(its);
    }
    out.push_back(e);
}

void flow_book::begin_resync(std::uint64_t now) noexcept {
    ++resync_.number;
    resync_.began = now;
}

void flow_book::on_listed(const message& m) {
    const auto place = newest_.find(m.key);
    if (place == newest_.end()) {
        return;
    }
    const auto i =
        m.start != 0 ? match(place->second, m.start) : newest_before_resync(place->second);
    if (i == none) {
        return;
    }
    if (!doubtful_.is_listed(i, i == place->second, m, resync_)) {
        return;
    }
    disown(i, others_);
    auto& e = entries_[i];
    e.seen = resync_.number;
    e.real_start = m.start;
    confirm(e);
}

bool flow_book::end_resync(std::uint64_t now, std::vector<ended>& out) {
    bool all_known = true;
    for (auto next = newest_.begin(); next != newest_.end();) {
        const auto place = next++;
        const auto before = std::ssize(out);
        for (index* link = &place->second; *link != none;) {
            const auto i = *link;
            const bool undecided = doubtful_.is_undecided_by(i, resync_.number);
            const bool missed_here = missed(entries_[i]);
            if (!missed_here || undecided || under_way(entries_[i])) {
                all_known = all_known && !missed_here && !undecided;
                link = &entries_[i].older;
                continue;
            }
            *link = entries_[i].older;
            tell_over(i, now, out);
        }
        std::reverse(out.begin() + before, out.end());
        if (place->second == none) {
            newest_.erase(place);
        }
    }
    return all_known;
}

bool flow_book::in_doubt() noexcept {
    const bool doubt = old_ != 0 || !doubtful_.empty();
    old_ += std::exchange(young_, 0);
    ++generation_;
    return doubt;
}

void flow_book::clear(std::uint32_t netns) noexcept {
    netns_ = netns;
    newest_.clear();
    entries_.clear();
    trailers_.clear();
    doubtful_.clear();
    others_.clear();
    free_ = none;
    alive_ = young_ = old_ = 0;
}

// Begins an entry.
flow_book::index flow_book::add(const ctflow_record& r, transport::record_tag tag, index older) {
    const entry e{.record = r,
                  .real_start = tag.begins ? 0 : r.start,
                  .origin = tag.origin,
                  .birth = tag.born ? tag.origin : 0,
                  .seen = resync_.number,
                  .older = older,
                  .generation = generation_,
                  .confirmed = !tag.begins,
                  .follows = tag.follows};
    young_ += tag.begins ? 1 : 0;
    index i = free_;
    if (i != none) {
        free_ = entries_[i].older;
        entries_[i] = e;
    } else {
        i = static_cast<index>(entries_.size());
        entries_.push_back(e);
    }
    ++alive_;
    return i;
}

// Whether an update from the address of a known flow of the same key is not that one's.
bool flow_book::is_another(const entry& e, const ctflow_record& r,
                           transport::record_tag tag) noexcept {
    return (e.real_start != 0 && r.start != 0 && e.real_start != r.start) ||
           (e.birth != 0 && tag.born && ctflow_same_origin(e.birth, tag.origin) == 0);
}

// A flow that is listed is alive: those of its key that began before it are not. One that began
// since may not be the one.
flow_book::index flow_book::newest_before_resync(index newest) const noexcept {
    index i = newest;
    while (i != none && entries_[i].seen == resync_.number) {
        i = entries_[i].older;
    }
    return i != none ? i : newest;
}

// Which of the flows of one key the kernel speaks of. Without a start the oldest, since ends come
// in their order; but one that has a start does not lose it.
flow_book::index flow_book::match(index newest, std::uint64_t start) const noexcept {
    index best = none;
    auto nearest = std::numeric_limits<std::uint64_t>::max();
    for (index i = newest; i != none; i = entries_[i].older) {
        const auto& e = entries_[i];
        if (start != 0 && e.real_start == start) {
            return i;
        }
        if (e.real_start != 0) {
            continue; // Another flow, for certain.
        }
        const auto away = start != 0 ? distance(e.record.start, start) : 0;
        if (away <= nearest) {
            best = i;
            nearest = away;
        }
    }
    return best;
}

// Takes the flow that has ended out of those of its key, and returns those that cannot be alive any
// more when this one was.
flow_book::index flow_book::unlink(index& newest, index its, std::uint64_t start) noexcept {
    index* link = &newest;
    // Of a flow that we do not know, by its start: all others have theirs, or it would match.
    while (*link != its && *link != none && (its != none || entries_[*link].real_start >= start)) {
        link = &entries_[*link].older;
    }
    const auto over = std::exchange(*link, none);
    return its != none ? std::exchange(entries_[its].older, none) : over;
}

// Whether the end that waits for it is its own, and the one that is read now another's.
bool flow_book::has_ended(index its, index newest, const message& m, const reading& at) const {
    return !doubtful_.empty() &&
           doubtful_.is_own(its, entries_[its].record.start,
                            newest != its ? entries_[newest].birth : 0, m, at);
}

// Whether an end may be that of the one before, which has no entry. Where the kernel notes starts,
// this one's is not known yet, or it would match or not.
bool flow_book::is_doubtful(const entry& e, const reading& at) noexcept {
    return e.follows && e.real_start == 0 && e.birth + confirmation_time > at.caught_up;
}

// The end that waits, if any, is not its.
void flow_book::disown(index i, std::vector<ended>& out) {
    if (const auto end = doubtful_.take(i)) {
        tell(none, end->about, end->at, out);
    }
}

// Known when the resync began, and not listed.
bool flow_book::missed(const entry& e) const noexcept {
    return e.seen != resync_.number;
}

bool flow_book::under_way(const entry& e) const noexcept {
    return !e.confirmed && e.record.timestamp + confirmation_time > resync_.began;
}

void flow_book::confirm(entry& e) noexcept {
    if (!std::exchange(e.confirmed, true)) {
        --(e.generation == generation_ ? young_ : old_);
    }
}

// From the newest to the oldest, which comes first.
void flow_book::tell_all_over(index newest, std::uint64_t now, std::vector<ended>& out) {
    const auto before = std::ssize(out);
    while (newest != none) {
        const auto older = entries_[newest].older;
        tell_over(newest, now, out);
        newest = older;
    }
    std::reverse(out.begin() + before, out.end());
}

// Nothing is heard of it any more.
void flow_book::tell_over(index i, std::uint64_t now, std::vector<ended>& out) {
    if (const auto end = doubtful_.take(i)) {
        tell(i, end->about, end->at, out);
    } else {
        tell_reconstructed(i, now, out);
    }
}

void flow_book::tell_reconstructed(index i, std::uint64_t now, std::vector<ended>& out) {
    const auto& e = entries_[i];
    auto& last = out.emplace_back(ended{.record = e.record,
                                        .trailer = {},
                                        .conntrack = e.record.conntrack,
                                        .origin = e.origin,
                                        .stop = 0,
                                        .caught_up = 0,
                                        .told = true,
                                        .reconstructed = true});
    if (const auto kept = trailers_.find(i); kept != trailers_.end()) {
        last.trailer = kept->second;
        last.trailer.status |= CTFLOW_STATUS_DYING;
        set_over(last.trailer);
    }
    last.record.kind = CTFLOW_RECORD_DESTROY;
    last.record.timestamp = now;
    last.record.netns = netns_;
    release(i);
}

void flow_book::release(index i) noexcept {
    confirm(entries_[i]); // It is in doubt no more.
    keep(i, nullptr);
    entries_[i].older = std::exchange(free_, i);
    --alive_;
}

} // namespace ctflow::ctnetlink
