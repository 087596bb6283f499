// SPDX-License-Identifier: Apache-2.0
#include "bpf/object.hpp"

#include "bpf/explain.hpp"
#include "bpf/filter_slot.hpp"
#include "bpf/print.hpp"
#include "bpf/tables.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctflow_acct.skel.h>

namespace ctflow::bpf {

std::span<const std::byte> embedded_object() noexcept {
    std::size_t size = 0;
    const void* bytes = ctflow_acct::elf_bytes(&size);
    return {static_cast<const std::byte*>(bytes), size};
}

void object::skeleton_deleter::operator()(ctflow_acct* s) const noexcept {
    ctflow_acct::destroy(s);
}

void object::link_deleter::operator()(bpf_link* l) const noexcept {
    bpf_link__destroy(l);
}

object::object(const config& c, const attach_plan& plan, error_code& ec, diagnostics& diag)
    : plan_(plan), transport_(c.transport) {
    const auto machine = host::this_machine();
    diag = host::ring_excess(c.transport, c.buffer_pages, machine);
    if (!diag.empty()) {
        ec = errc::buffer_pages;
        return;
    }
    const print_capture log;
    const auto why = [&](int error) {
        return explain({error, errc::load_failed, log.text(), host::kept_flows_of(c, false), 0,
                        plan_.mode, host::ring_need(c.transport, c.buffer_pages, machine),
                        c.reserve_pages},
                       current_circumstances(), diag);
    };
    bpf_object_open_opts options;
    std::memset(&options, 0, sizeof(options)); // libbpf wants zeros between the members too.
    options.sz = sizeof(options);
    options.btf_custom_path = c.btf_file.empty() ? nullptr : c.btf_file.c_str();
    skeleton_.reset(ctflow_acct::open(&options));
    if (!skeleton_) {
        ec = why(errno);
        return;
    }
    configure(c, machine);
    const int result = ctflow_acct::load(skeleton_.get());
    if (result != 0) {
        ec = why(-result);
        skeleton_.reset();
    } else if (plan_.mode == attach_mode::fentry) {
        if (const int error = try_fentry()) {
            ec = explain({error, errc::attach_failed, log.text(), {}, 0, plan_.mode},
                         current_circumstances(), diag);
            skeleton_.reset();
        }
    }
}

object::~object() {
    detach();
}

void object::configure(const config& c, const host::machine& machine) {
    bpf_program* p = nullptr;
    bpf_object__for_each_program(p, skeleton_->obj) {
        bpf_program__set_autoload(p, false);
    }
    auto wanted = all_programs();
    if (plan_.mode == attach_mode::fentry) {
        // Where the packets are counted: if others trace conntrack, they do it there.
        const auto at = std::ranges::find(plan_.points, task::accounting, &hook_point::task);
        wanted.push_back({trial(), &at->function, false});
    }
    for (const auto& each : wanted) {
        bpf_program__set_autoload(each.handle, true);
        if (plan_.mode == attach_mode::fentry) {
            bpf_program__set_attach_target(each.handle, 0, each.function->c_str());
        }
    }
    configure_transport(c, machine);
    skeleton_->rodata->cooldown_bits =
        size_tables(skeleton_->maps.flows, skeleton_->maps.cooldowns, c.max_flows);
    const auto curve = kernel_curve(c);
    std::memcpy(&skeleton_->rodata->rate_curve, &curve, sizeof(curve));
    skeleton_->rodata->filtering = c.filter ? 1 : 0;
    bpf_map__set_autocreate(skeleton_->maps.filters, c.filter.has_value());
    skeleton_->rodata->tick_length = tick_length();
    skeleton_->rodata->tell_tcp_sides = c.tcp_sides ? 1 : 0;
    skeleton_->rodata->tell_processes = c.processes ? 1 : 0;
    bpf_map__set_autocreate(skeleton_->maps.origins, c.processes);
    bpf_map__set_max_entries(skeleton_->maps.origins, c.max_flows);
}

void object::configure_transport(const config& c, const host::machine& machine) {
    const bool by_ring_buffer = c.transport == transport_kind::ring_buffer;
    const auto& maps = skeleton_->maps;
    skeleton_->rodata->by_ring_buffer = by_ring_buffer ? 1 : 0;
    for (bpf_map* ring : {maps.updates_ring, maps.destroys_ring}) {
        bpf_map__set_autocreate(ring, by_ring_buffer);
        const auto size = host::shared_ring_size(c.buffer_pages, machine);
        bpf_map__set_max_entries(ring, static_cast<std::uint32_t>(size));
    }
    bpf_map__set_max_entries(maps.reserve,
                             static_cast<std::uint32_t>(c.reserve_pages * machine.page_size));
    const std::array arrays{maps.updates, maps.destroys};
    for (bpf_map* array : arrays) {
        bpf_map__set_autocreate(array, !by_ring_buffer);
    }
    skeleton_->rodata->possible_cpus = size_states(maps.ring_states, arrays.size() + 1, arrays);
}

std::vector<object::program> object::programs_at(const hook_point& point) const {
    const auto& p = skeleton_->progs;
    const auto* at = &point.function;
    const bool traced = plan_.mode == attach_mode::fentry;
    // The return of a call before its entry.
    switch (point.task) {
    case task::insert:
        return {{traced ? p.fentry_insert : p.kprobe_insert, at, false}};
    case task::confirm:
        return {{traced ? p.fexit_confirm : p.kretprobe_confirm, at, true},
                {traced ? p.fentry_confirm : p.kprobe_confirm, at, false}};
    case task::check_insert:
        if (traced) {
            return {{p.fexit_check_insert, at, true}};
        }
        return {{p.kretprobe_check_insert, at, true}, {p.kprobe_check_insert, at, false}};
    case task::made:
        return {{traced ? p.fexit_made : p.kretprobe_made, at, true}};
    case task::leaving:
        return {{traced ? p.fentry_leaving : p.kprobe_leaving, at, false}};
    case task::accounting:
        if (traced) {
            return {{p.fexit_accounting, at, true}};
        }
        return {{p.kretprobe_accounting, at, true}, {p.kprobe_accounting, at, false}};
    case task::offloaded:
        return {{traced ? p.fexit_offloaded : p.kprobe_offloaded, at, traced}};
    case task::destroy:
        return {{traced ? p.fentry_destroy : p.kprobe_destroy, at, false}};
    case task::free_:
        return {{p.fentry_free, at, false}};
    case task::early_drop:
        return {{traced ? p.fexit_early_drop : p.kretprobe_early_drop, at, true, true},
                {traced ? p.fentry_early_drop : p.kprobe_early_drop, at, false, true}};
    case task::collect:
        return {{traced ? p.fexit_collect : p.kretprobe_collect, at, true, true},
                {traced ? p.fentry_collect : p.kprobe_collect, at, false, true}};
    case task::delete_:
        break;
    }
    return {{traced ? p.fentry_delete : p.kprobe_delete, at, false}};
}

std::vector<object::program> object::all_programs() const {
    // In the order of attaching: who takes flows out of the table before those who put them in.
    // Detaching goes the other way.
    std::vector<program> all;
    for (auto point = plan_.points.rbegin(); point != plan_.points.rend(); ++point) {
        std::ranges::copy(programs_at(*point), std::back_inserter(all));
    }
    return all;
}

bpf_program* object::trial() const noexcept {
    return skeleton_->progs.fentry_trial;
}

int object::try_fentry() noexcept {
    const std::unique_ptr<bpf_link, link_deleter> link{bpf_program__attach_trace(trial())};
    if (!link) {
        return errno;
    }
    bpf_program__unload(trial());
    return 0;
}

void object::attach(error_code& ec, diagnostics& diag) {
    const print_capture log;
    const auto all = all_programs();
    links_.reserve(all.size()); // Once one is attached, nothing here throws.
    const auto now = real_time();
    skeleton_->bss->watching_since = now;
    skeleton_->bss->boot_to_real = now - boot_time();
    // Two programs for each of these functions, of which the kernel allows 38 at one: they are the
    // first to find no place. The return comes first, and does no harm alone.
    const std::string* refused = nullptr;
    for (const auto& each : all) {
        if (each.function == refused) {
            continue;
        }
        bpf_link* link =
            plan_.mode == attach_mode::fentry
                ? bpf_program__attach_trace(each.handle)
                : bpf_program__attach_kprobe(each.handle, each.on_return, each.function->c_str());
        if (link == nullptr && each.needless) {
            refused = each.function;
            continue;
        }
        if (link == nullptr) {
            const int error = errno;
            detach();
            ec = explain({error, errc::attach_failed, log.text(), {}, 0, plan_.mode},
                         current_circumstances(), diag);
            return;
        }
        links_.emplace_back(link);
    }
}

void object::detach() noexcept {
    while (!links_.empty()) {
        links_.pop_back();
    }
}

void object::set_filter(const ctflow_filter_program& filter, error_code& ec) {
    const mapped_words cooldowns(skeleton_->maps.cooldowns, ec);
    if (!ec) {
        bpf::set_filter({skeleton_->maps.filters, &skeleton_->bss->which_filter, cooldowns.words()},
                        filter, filter_table_, ec);
    }
}

void object::clear(error_code& ec) {
    clear_words(mapped_words(skeleton_->maps.cooldowns, ec).words());
    empty(skeleton_->maps.flows);
    empty(skeleton_->maps.calls);
    if (skeleton_->rodata->tell_processes != 0) {
        empty(skeleton_->maps.origins);
    }
    skeleton_->bss->calls_under_way = 0;
    empty(skeleton_->maps.evicting);
    skeleton_->bss->evictions_under_way = 0;
}

int object::updates_fd() const noexcept {
    const auto& maps = skeleton_->maps;
    return bpf_map__fd(transport_ == transport_kind::ring_buffer ? maps.updates_ring
                                                                 : maps.updates);
}
int object::destroys_fd() const noexcept {
    const auto& maps = skeleton_->maps;
    return bpf_map__fd(transport_ == transport_kind::ring_buffer ? maps.destroys_ring
                                                                 : maps.destroys);
}
int object::reserve_fd() const noexcept {
    return bpf_map__fd(skeleton_->maps.reserve);
}
int object::ring_states_fd() const noexcept {
    return bpf_map__fd(skeleton_->maps.ring_states);
}
int object::counters_fd() const noexcept {
    return bpf_map__fd(skeleton_->maps.counters);
}

std::vector<int> object::program_fds() const {
    std::vector<int> fds;
    for (const auto& each : all_programs()) {
        fds.push_back(bpf_program__fd(each.handle));
    }
    return fds;
}

} // namespace ctflow::bpf
