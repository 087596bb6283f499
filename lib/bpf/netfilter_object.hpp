// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/netfilter_link.hpp"
#include "bpf/programs.hpp"
#include "bpf/tables.hpp"
#include "bpf/unreported_end.hpp"
#include "host/unique_fd.hpp"
#include "unreported_key.h"

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>
#include <ctflow/kernel.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

struct ctflow_netfilter;

namespace ctflow::host {
class kernel_btf;
}

namespace ctflow::bpf {

// Whether the kernel has what the programs need. If not, diag may say more.
bool netfilter_possible(const host::kernel_btf& btf, error_code& ec, diagnostics& diag);

// The hooks, as probe::kernel() shows them.
std::vector<hook> netfilter_hooks();

// The program at netfilter's hooks (bpf/netfilter.bpf.c).
class netfilter_object final : public programs {
public:
    // Opens, configures and loads it.
    netfilter_object(const config& c, const host::kernel_btf& btf, error_code& ec,
                     diagnostics& diag);
    ~netfilter_object() override;

    // In the network namespace of the calling thread.
    void attach(error_code& ec, diagnostics& diag) override;
    void detach() noexcept override;
    void clear(error_code& ec) override;
    void set_filter(const ctflow_filter_program& filter, error_code& ec) override;
    int counters_fd() const noexcept override;
    std::vector<int> program_fds() const override;

    // A ring buffer of records with tags.
    int updates_fd() const noexcept;
    int ring_states_fd() const noexcept;

    // The flow is over that the program remembered by that origin (transport::record_tag): gives up
    // its place in the flow table, unless another flow has that by now, whose nf_conn is at the
    // same address.
    void release(std::uint64_t conntrack, std::uint64_t origin) noexcept;

    // The same of a flow that has had no record: whatever is remembered of that tuple and is its.
    // When it was born, by the clock of records, if that was seen; else 0.
    std::uint64_t release_unreported(const unreported_end& end) noexcept;

    // When what is remembered of a tuple was born, by the clock of records; 0 if nothing is, or
    // that was not seen.
    std::uint64_t unreported_birth(const ctflow_unreported_key& key) const noexcept;

private:
    struct skeleton_deleter {
        void operator()(ctflow_netfilter* s) const noexcept;
    };

    std::unique_ptr<ctflow_netfilter, skeleton_deleter> skeleton_;
    std::optional<mapped_words> cooldowns_; // Once it is loaded.
    std::vector<netfilter_link> links_;
    host::unique_fd filter_table_; // The kernel's side has it, too.
};

} // namespace ctflow::bpf
