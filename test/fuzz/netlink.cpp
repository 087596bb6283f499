// SPDX-License-Identifier: Apache-2.0
#include "ctnetlink/message.hpp"
#include "fuzz.hpp"

#include <sys/socket.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ctflow;
    const fuzz::exact_copy message({data, size}, size);
    if (const auto found = ctnetlink::parse(message.bytes())) {
        fuzz::require(found->key.family == AF_INET || found->key.family == AF_INET6);
    }
    return 0;
}
