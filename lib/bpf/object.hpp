// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/plan.hpp"
#include "host/memory.hpp"

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

// The BPF programs and maps in the kernel. Not thread-safe but for reading the maps.
class object {
public:
    // Opens, configures and loads what the plan asks for, and sees whether it could be attached.
    object(const config& c, const attach_plan& plan, error_code& ec, diagnostics& diag);
    ~object();
    object(const object&) = delete;
    object& operator=(const object&) = delete;

    // All programs, or none.
    void attach(error_code& ec, diagnostics& diag);
    void detach() noexcept;

    // Forgets all flows and calls: what ended while nothing was attached would stay for ever.
    void clear(error_code& ec);

    // The maps of the transport that was asked for.
    int updates_fd() const noexcept;
    int destroys_fd() const noexcept;
    int counters_fd() const noexcept;
    std::vector<int> program_fds() const;

private:
    struct program {
        bpf_program* handle;
        const std::string* function;
        bool on_return; // Of a function, as far as kprobes are concerned.
    };
    struct skeleton_deleter {
        void operator()(ctflow_acct* s) const noexcept;
    };
    struct link_deleter {
        void operator()(bpf_link* l) const noexcept;
    };

    std::vector<program> programs() const;
    std::vector<program> programs(const hook_point& point) const;
    void configure(const config& c, const host::machine& machine) noexcept;
    void configure_transport(const config& c, const host::machine& machine) noexcept;
    bpf_program* trial() const noexcept;
    int try_fentry() noexcept;
    void clear_cooldowns(error_code& ec) noexcept;

    attach_plan plan_;
    transport_kind transport_;
    std::unique_ptr<ctflow_acct, skeleton_deleter> skeleton_;
    std::vector<std::unique_ptr<bpf_link, link_deleter>> links_;
};

} // namespace ctflow::bpf
