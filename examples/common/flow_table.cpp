// SPDX-License-Identifier: Apache-2.0
#include "flow_table.hpp"

#include <cstring>
#include <functional>
#include <string_view>

namespace examples {
namespace {

movement total(const ctflow::event& e) {
    return {e.packets_orig(), e.bytes_orig(), e.packets_ret(), e.bytes_ret(), {}};
}

movement between(const ctflow::event& before, const ctflow::event& e) {
    return {e.packets_orig() - before.packets_orig(), e.bytes_orig() - before.bytes_orig(),
            e.packets_ret() - before.packets_ret(), e.bytes_ret() - before.bytes_ret(),
            e.timestamp() - before.timestamp()};
}

// Counters never fall: then it is another flow, of the same ends and at the same address.
bool goes_on(const ctflow::event& before, const ctflow::event& e) {
    return before.kind() == ctflow::event_kind::update &&
           e.packets_orig() >= before.packets_orig() && e.bytes_orig() >= before.bytes_orig() &&
           e.packets_ret() >= before.packets_ret() && e.bytes_ret() >= before.bytes_ret();
}

} // namespace

std::size_t flow_table::hash::operator()(const key& k) const noexcept {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(k.data()), k.size()}); // Bytes, whatever their type.
}

flow_table::key flow_table::key_of(const ctflow::event& e) noexcept {
    const auto& r = e.record();
    key k{};
    auto* at = k.data();
    const auto append = [&at](const auto& value) {
        std::memcpy(at, &value, sizeof(value));
        at += sizeof(value);
    };
    append(r.conntrack);
    append(r.src_addr);
    append(r.dst_addr);
    append(r.netns);
    append(r.src_port);
    append(r.dst_port);
    append(r.proto);
    return k;
}

movement flow_table::apply(const ctflow::event& e) {
    const auto k = key_of(e);
    const bool ends = e.kind() == ctflow::event_kind::destroy;
    auto found = flows_.find(k);
    if (found != flows_.end() && e.timestamp() <= found->second.last.timestamp()) {
        return {}; // Overtaken: a later event has told all of this.
    }
    movement moved;
    if (found != flows_.end() && goes_on(found->second.last, e)) {
        moved = between(found->second.last, e);
    } else if (e.start().time_since_epoch().count() == 0 || e.start() >= since_) {
        moved = total(e);
    }
    if (found == flows_.end()) {
        if (flows_.size() == limit_ && !ended_.empty()) {
            forget_oldest_ended();
        }
        if (flows_.size() == limit_) {
            refused_ += ends ? 0 : 1;
            return ends ? moved : movement();
        }
        found = flows_.emplace(k, flow()).first;
    } else if (found->second.ended()) {
        // Born again. The note of its end goes, since flows and notes are counted.
        std::erase_if(ended_, [&k](const auto& each) { return each.first == k; });
    }
    found->second = {e, moved};
    if (ends) {
        ended_.emplace_back(k, e.timestamp());
    }
    return moved;
}

void flow_table::forget_ended(ctflow::boot_clock::time_point now) {
    while (!ended_.empty() && now - ended_.front().second > std::chrono::seconds(1)) {
        forget_oldest_ended();
    }
}

void flow_table::forget_oldest_ended() {
    flows_.erase(ended_.front().first);
    ended_.pop_front();
}

} // namespace examples
