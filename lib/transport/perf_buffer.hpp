// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport/buffer.hpp"

#include <ctflow/error.hpp>

#include <cstddef>
#include <memory>

struct perf_buffer;

namespace ctflow::transport {

// A perf event array filled with one ring for each CPU that is online. libbpf opens and maps
// them; they are read by us, since its own reader calls back for each record from inside C.
class perf_buffer final : public buffer {
public:
    // pages: size of each ring, a power of two. Each record wakes its reader up.
    perf_buffer(int map_fd, std::size_t pages, error_code& ec, diagnostics& diag);

private:
    struct deleter {
        void operator()(::perf_buffer* b) const noexcept;
    };

    std::unique_ptr<::perf_buffer, deleter> buffer_;
};

} // namespace ctflow::transport
