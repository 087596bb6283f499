// SPDX-License-Identifier: Apache-2.0
#include "rings.hpp"
#include "transport/ring.hpp"

#include <array>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ctflow;
    trailer_pool trailers;
    std::array<event, 7> out;
    fuzz::read_all({data, size}, out.size(), [&](auto bytes, auto head, auto tail) {
        return transport::read_ring(bytes, head, tail, event_kind::update, trailers, out);
    });
    return 0;
}
