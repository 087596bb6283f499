// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/plan.hpp"
#include "bpf/programs.hpp"
#include "host/memory.hpp"
#include "host/unique_fd.hpp"

#include <ctflow/config.hpp>
#include <ctflow/error.hpp>

#include <memory>
#include <span>
#include <vector>

struct bpf_link;
struct bpf_program;
struct ctflow_acct;

namespace ctflow::bpf {

// The embedded ELF file.
std::span<const std::byte> embedded_object() noexcept;

// The tracing programs (bpf/acct.bpf.c).
class object final : public programs {
public:
    // Opens, configures and loads what the plan asks for, and sees whether it could be attached.
    object(const config& c, const attach_plan& plan, error_code& ec, diagnostics& diag);
    ~object() override;

    void attach(error_code& ec, diagnostics& diag) override;
    void detach() noexcept override;
    void clear(error_code& ec) override;
    void set_filter(const ctflow_filter_program& filter, error_code& ec) override;
    int counters_fd() const noexcept override;
    std::vector<int> program_fds() const override;

    // The maps of the transport that was asked for.
    int updates_fd() const noexcept;
    int destroys_fd() const noexcept;

    // Those of any.
    int reserve_fd() const noexcept;
    int ring_states_fd() const noexcept;

private:
    struct program {
        bpf_program* handle;
        const std::string* function;
        bool on_return;        // Of a function, as far as kprobes are concerned.
        bool needless = false; // Where it has no place, all goes on without.
    };
    struct skeleton_deleter {
        void operator()(ctflow_acct* s) const noexcept;
    };
    struct link_deleter {
        void operator()(bpf_link* l) const noexcept;
    };

    std::vector<program> all_programs() const;
    std::vector<program> programs_at(const hook_point& point) const;
    void configure(const config& c, const host::machine& machine);
    void configure_transport(const config& c, const host::machine& machine);
    bpf_program* trial() const noexcept;
    int try_fentry() noexcept;

    attach_plan plan_;
    transport_kind transport_;
    std::unique_ptr<ctflow_acct, skeleton_deleter> skeleton_;
    std::vector<std::unique_ptr<bpf_link, link_deleter>> links_;
    host::unique_fd filter_table_; // The kernel's side has it, too.
};

} // namespace ctflow::bpf
