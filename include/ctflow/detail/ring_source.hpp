// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>
#include <ctflow/detail/record_source.hpp>
#include <ctflow/error.hpp>
#include <ctflow/ring_record.hpp>

#include <memory>

namespace ctflow::detail {

class ring_source : public record_source<ring_record> {
public:
    CTFLOW_DECL static std::unique_ptr<ring_source> open(int map_fd, error_code& ec,
                                                         diagnostics& diag);

    virtual ring_buffer_stats stats() const noexcept = 0;
};

} // namespace ctflow::detail
