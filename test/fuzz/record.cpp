// SPDX-License-Identifier: Apache-2.0
//
// What can be asked of an event, whatever is in its record and in what follows it.
#include "fuzz.hpp"

#include <ctflow/community_id.hpp>
#include <ctflow/event.hpp>

#include <boost/asio/ip/address.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ctflow;
    fuzz::input in(data, size);
    const auto record = in.take<ctflow_record>();
    const event e(record, in.take<ctflow_trailer>());
    fuzz::require(!to_string(e).empty());
    fuzz::require(e.flow_id() < 1U << 31);
    fuzz::require(!e.src_addr().to_string().empty() && !e.dst_addr().to_string().empty());
    fuzz::require(e.src_port() <= 65535 && e.dst_port() <= 65535);
    fuzz::require(!e.reply().src_addr.to_string().empty());
    fuzz::require(e.has_nat() || e.reply() == e.original().mirrored());
    fuzz::require(*to_string(e.end_reason()) != 0 && *to_string(e.offload()) != 0 &&
                  *to_string(e.zone_direction()) != 0);
    fuzz::require(!e.master() || e.master()->flow_id < 1U << 31);
    fuzz::require(!translated_community_id(e).empty());
    const event copy(e);
    fuzz::require(copy.labels() == e.labels() && copy.tcp_sides() == e.tcp_sides() &&
                  copy.process() == e.process());
    return 0;
}
