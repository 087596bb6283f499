// SPDX-License-Identifier: Apache-2.0
#include "event/ends.hpp"
#include "event/flow_id.hpp"

#include <ctflow/event.hpp>

#include <algorithm>
#include <iterator>
#include <string>

namespace ctflow {
namespace {

flow_tuple to_tuple(const ctflow_ends& ends, std::uint8_t family, std::uint8_t proto) noexcept {
    return {to_address(ends.src_addr, family), to_address(ends.dst_addr, family),
            to_port(ends.src_port, proto), to_port(ends.dst_port, proto)};
}

tcp_side to_side(const ctflow_trailer& t, int direction) noexcept {
    return {t.tcp_flags[direction], t.tcp_scale[direction]};
}

// For who has no pool.
void delete_trailer(detail::shared_trailer* t) noexcept {
    delete t;
}

detail::trailer_ref share(const ctflow_trailer& t) {
    return t.parts == 0 ? detail::trailer_ref(t.duration)
                        : detail::trailer_ref(new detail::shared_trailer{{1}, delete_trailer, t});
}

} // namespace

event::event(const ctflow_record& record, const ctflow_trailer& trailer)
    : event(record, share(trailer)) {}

bool event::has_ports() const noexcept {
    return ctflow::has_ports(record_.proto);
}

boost::asio::ip::address event::address(const unsigned char (&bytes)[16]) const noexcept {
    return to_address(bytes, record_.family);
}

std::uint16_t event::port(std::uint16_t network_order) const noexcept {
    return to_port(network_order, record_.proto);
}

flow_tuple event::reply() const noexcept {
    return has_nat() ? to_tuple(trailer()->reply, record_.family, record_.proto)
                     : original().mirrored();
}

std::bitset<128> event::labels() const noexcept {
    if (!has_part(CTFLOW_TRAILER_LABELS)) {
        return {};
    }
    return std::bitset<128>(trailer()->labels[1]) << 64 | std::bitset<128>(trailer()->labels[0]);
}

std::optional<flow_master> event::master() const noexcept {
    if (!has_part(CTFLOW_TRAILER_MASTER)) {
        return std::nullopt;
    }
    const auto& t = *trailer();
    return flow_master{t.master,
                       flow_id_of(t.master_ends, t.master_family, t.master_proto, t.master),
                       t.master_proto, to_tuple(t.master_ends, t.master_family, t.master_proto)};
}

std::optional<tcp_sides> event::tcp_sides() const noexcept {
    if (!has_part(CTFLOW_TRAILER_TCP)) {
        return std::nullopt;
    }
    return ctflow::tcp_sides{to_side(*trailer(), 0), to_side(*trailer(), 1)};
}

std::optional<flow_process> event::process() const {
    if (!has_part(CTFLOW_TRAILER_PROCESS)) {
        return std::nullopt;
    }
    const auto& t = *trailer();
    const auto* const end = std::ranges::find(t.comm, 0);
    return flow_process{t.pid, t.cgroup, std::string(std::begin(t.comm), end)};
}

} // namespace ctflow
