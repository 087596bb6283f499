// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/export.hpp>
#include <ctflow/detail/record_source.hpp>
#include <ctflow/error.hpp>
#include <ctflow/perf_record.hpp>

#include <memory>

namespace ctflow::detail {

class perf_source : public record_source<perf_record> {
public:
    CTFLOW_DECL static std::unique_ptr<perf_source>
    open(int map_fd, const perf_buffer_options& options, error_code& ec, diagnostics& diag);

    virtual error_code pause(bool paused) noexcept = 0;
    virtual perf_buffer_stats stats() const noexcept = 0;
};

} // namespace ctflow::detail
