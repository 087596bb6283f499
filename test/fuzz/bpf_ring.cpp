// SPDX-License-Identifier: Apache-2.0
#include "transport/bpf_ring.hpp"

#include "rings.hpp"

#include <array>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ctflow;
    trailer_pool trailers;
    std::array<event, 7> out;
    std::array<transport::record_tag, 7> tags;
    fuzz::read_all({data, size}, out.size(), [&](auto bytes, auto head, auto tail) {
        return transport::read_bpf_ring(bytes, head, tail, event_kind::destroy, trailers, out);
    });
    fuzz::read_all({data, size}, out.size(), [&](auto bytes, auto head, auto tail) {
        return transport::read_netfilter_ring(bytes, head, tail, trailers, out, tags);
    });
    return 0;
}
