// SPDX-License-Identifier: Apache-2.0
//
// What can be asked of an event, whatever is in its record.
#include "fuzz.hpp"

#include <ctflow/event.hpp>

#include <boost/asio/ip/address.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ctflow;
    const event e(fuzz::input(data, size).take<ctflow_record>());
    fuzz::require(!to_string(e).empty());
    fuzz::require(e.flow_id() < 1U << 31);
    fuzz::require(!e.src_addr().to_string().empty() && !e.dst_addr().to_string().empty());
    fuzz::require(e.src_port() <= 65535 && e.dst_port() <= 65535);
    return 0;
}
