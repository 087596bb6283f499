// SPDX-License-Identifier: Apache-2.0
//
// Files of types (config::btf_file). libbpf's own look at them comes first, and is not our subject:
// it is not built for this.
#include "host/btf.hpp"

#include "fuzz.hpp"
#include "host/btf_damage.hpp"
#include "host/layout.hpp"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ctflow;
    libbpf_set_print(nullptr);
    const host::btf_pointer types(btf__new(data, static_cast<std::uint32_t>(size)));
    if (types && !host::is_damaged(*types)) {
        // With itself: the same paths, and the answer is known.
        fuzz::require(!host::layout_difference(*types, *types));
    }
    return 0;
}
