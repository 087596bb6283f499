// SPDX-License-Identifier: Apache-2.0
#include "deltas/flow_table.hpp"

#include "event/keyed_hash.hpp"

#include <algorithm>
#include <bit>

namespace ctflow::deltas {
namespace {

template <class T>
std::vector<T> with_room_for(std::size_t n) {
    std::vector<T> v;
    v.reserve(n);
    return v;
}

} // namespace

flow_name name_of(const event& e) noexcept {
    const auto& r = e.record();
    return {.conntrack = r.conntrack,
            .start = r.start,
            .src_addr = std::to_array(r.src_addr),
            .dst_addr = std::to_array(r.dst_addr),
            .src_port = r.src_port,
            .dst_port = r.dst_port,
            .proto = r.proto,
            .family = r.family};
}

std::size_t flow_table::hash::operator()(const flow_name& name) const noexcept {
    return keyed_hash(std::bit_cast<std::array<std::uint64_t, 7>>(name), seed);
}

flow_table::flow_table(std::size_t capacity)
    : capacity_(std::max<std::size_t>(capacity, 1)), entries_(with_room_for<entry>(capacity_)),
      buckets_(std::bit_ceil(capacity_)),
      names_(by_name::bucket_traits(buckets_.data(), buckets_.size()), hash{random_seed()}) {}

flow_table::entry* flow_table::find(const flow_name& name) noexcept {
    const auto found = names_.find(name);
    return found != names_.end() ? &*found : nullptr;
}

flow_table::entry* flow_table::in_the_way() noexcept {
    if (entries_.size() < capacity_ || !free_.empty()) {
        return nullptr;
    }
    return &list_of(!ended_.empty()).front();
}

void flow_table::forget(entry& e) noexcept {
    names_.erase(names_.iterator_to(e));
    free_.splice(free_.end(), list_of(e.progress.ended), by_age::s_iterator_to(e));
}

flow_table::entry& flow_table::add(const flow_name& name) noexcept {
    auto& e = free_.empty() ? entries_.emplace_back() : free_.front();
    if (!free_.empty()) {
        free_.pop_front();
    }
    e.name = name;
    e.progress = {};
    names_.insert(e);
    live_.push_back(e);
    return e;
}

void flow_table::touch(entry& e, bool was_over) noexcept {
    auto& to = list_of(e.progress.ended);
    to.splice(to.end(), list_of(was_over), by_age::s_iterator_to(e));
}

} // namespace ctflow::deltas
