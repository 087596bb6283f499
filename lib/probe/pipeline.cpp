// SPDX-License-Identifier: Apache-2.0
#include "probe/pipeline.hpp"

#include "bpf/counters.hpp"
#include "filter/compile.hpp"
#include "probe/netfilter_pipeline.hpp"
#include "probe/tracing_pipeline.hpp"

#include <utility>

namespace ctflow::detail {

void pipeline::start(bool again, error_code& ec, diagnostics& diag) {
    if (again) {
        programs().clear(ec);
    }
    if (!ec) {
        programs().attach(ec, diag);
    }
}

void pipeline::set_filter(const filter& f, error_code& ec, diagnostics& diag) {
    const auto program = filtering::compile(f, ec, diag);
    if (!ec) {
        programs().set_filter(program, ec);
    }
}

void pipeline::read(probe_stats& stats) {
    sink.read(stats);
    bpf::read_counters(programs().counters_fd(), programs().program_fds(), stats);
}

std::shared_ptr<pipeline> make_pipeline(bpf::loaded programs, const config& c, error_code& ec,
                                        diagnostics& diag) {
    if (programs.netfilter) {
        return std::make_shared<netfilter_pipeline>(std::move(programs.netfilter), c, ec);
    }
    return std::make_shared<tracing_pipeline>(std::move(programs.tracing), c, ec, diag);
}

} // namespace ctflow::detail
