// SPDX-License-Identifier: Apache-2.0
#include "bpf/netfilter_object.hpp"

#include "bpf/explain.hpp"
#include "bpf/filter_slot.hpp"
#include "bpf/netfilter_abi.h"
#include "bpf/print.hpp"
#include "bpf/tables.hpp"
#include "cooldown.h"
#include "host/btf.hpp"
#include "host/memory.hpp"
#include "netfilter_record.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <arpa/inet.h> // Before linux/in.h, which linux/netfilter.h includes.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctflow_netfilter.skel.h>
#include <linux/netfilter.h>

namespace ctflow::bpf {
namespace {

struct place {
    std::uint32_t family;
    std::uint32_t hook;
};

// Where packets leave conntrack: to a process here, or to the net.
constexpr std::array places = {
    place{NFPROTO_IPV4, NF_INET_LOCAL_IN}, place{NFPROTO_IPV4, NF_INET_POST_ROUTING},
    place{NFPROTO_IPV6, NF_INET_LOCAL_IN}, place{NFPROTO_IPV6, NF_INET_POST_ROUTING}};

// 0 if it was not.
std::uint64_t seen_birth(const ctflow_flow_state& flow) noexcept {
    const auto unseen = flow.origin & (CTFLOW_FLOW_ADOPTED | CTFLOW_FLOW_UNSEEN);
    return unseen != 0 ? 0 : flow.origin & ~CTFLOW_FLOW_BITS;
}

} // namespace

bool netfilter_possible(const host::kernel_btf& btf, error_code& ec, diagnostics& diag) {
    constexpr std::string_view cast = "bpf_rdonly_cast";
    if (!btf) {
        ec = errc::no_btf;
        diag = "the kernel's own is needed for netfilter programs";
    } else if (btf.find_struct("bpf_nf_ctx") == 0 || btf.find_functions({&cast, 1}).empty()) {
        ec = errc::netfilter_unavailable;
    }
    return !ec;
}

std::vector<hook> netfilter_hooks() {
    return {{hook_role::insert, "LOCAL_IN", "netfilter"},
            {hook_role::insert, "POST_ROUTING", "netfilter"},
            {hook_role::accounting, "LOCAL_IN", "netfilter"},
            {hook_role::accounting, "POST_ROUTING", "netfilter"},
            {hook_role::destroy, "ctnetlink", "netlink"}};
}

void netfilter_object::skeleton_deleter::operator()(ctflow_netfilter* s) const noexcept {
    ctflow_netfilter::destroy(s);
}

netfilter_object::netfilter_object(const config& c, const host::kernel_btf& btf, error_code& ec,
                                   diagnostics& diag) {
    const auto machine = host::this_machine();
    diag = host::ring_excess(transport_kind::ring_buffer, c.buffer_pages, machine);
    if (!diag.empty()) {
        ec = errc::buffer_pages;
        return;
    }
    const print_capture log;
    const auto kept = host::kept_flows_of(c, true);
    const auto why = [&](int error) {
        return explain({error, errc::load_failed, log.text(), kept, 0, attach_mode::netfilter,
                        host::netfilter_ring_need(c.buffer_pages, machine)},
                       current_circumstances(attach_mode::netfilter), diag);
    };
    skeleton_.reset(ctflow_netfilter::open());
    if (!skeleton_) {
        ec = why(errno);
        return;
    }
    const auto& maps = skeleton_->maps;
    auto* const program = skeleton_->progs.netfilter_packet;
    ctflow_set_netfilter_type(program);
    bpf_map__set_max_entries(maps.updates_ring, static_cast<std::uint32_t>(host::shared_ring_size(
                                                    c.buffer_pages, machine)));
    skeleton_->rodata->possible_cpus = size_states(maps.ring_states, 1);
    skeleton_->rodata->nf_conn_type = btf.find_struct("nf_conn");
    skeleton_->rodata->cooldown_bits = size_tables(maps.flows, maps.cooldowns, c.max_flows);
    const auto curve = kernel_curve(c);
    std::memcpy(&skeleton_->rodata->rate_curve, &curve, sizeof(curve));
    skeleton_->rodata->filtering = c.filter ? 1 : 0;
    bpf_map__set_autocreate(maps.filters, c.filter.has_value());
    skeleton_->rodata->keep_unreported = kept.unreported ? 1 : 0;
    bpf_map__set_autocreate(maps.unreported, kept.unreported);
    bpf_map__set_max_entries(maps.unreported, c.max_flows);
    skeleton_->rodata->tell_tcp_sides = c.tcp_sides ? 1 : 0;
    if (const int result = ctflow_netfilter::load(skeleton_.get()); result != 0) {
        ec = why(-result);
        skeleton_.reset();
        return;
    }
    cooldowns_.emplace(maps.cooldowns, ec);
}

netfilter_object::~netfilter_object() = default;

void netfilter_object::attach(error_code& ec, diagnostics& diag) {
    const auto now = real_time();
    skeleton_->bss->watching_since = now;
    skeleton_->bss->boot_to_real = now - boot_time();
    const int program = bpf_program__fd(skeleton_->progs.netfilter_packet);
    links_.reserve(places.size()); // Once one is attached, nothing here throws.
    for (const auto& [family, hook] : places) {
        error_code refused;
        netfilter_link link(program, family, hook, refused);
        if (refused) {
            detach();
            ec = explain({refused.value(), errc::attach_failed, {}, {}, 0, attach_mode::netfilter},
                         current_circumstances(attach_mode::netfilter), diag);
            return;
        }
        links_.push_back(std::move(link));
    }
}

void netfilter_object::detach() noexcept {
    links_.clear();
}

void netfilter_object::set_filter(const ctflow_filter_program& filter, error_code& ec) {
    bpf::set_filter({skeleton_->maps.filters, &skeleton_->bss->which_filter, cooldowns_->words()},
                    filter, filter_table_, ec);
}

void netfilter_object::clear(error_code&) {
    clear_words(cooldowns_->words());
    empty(skeleton_->maps.flows);
    if (skeleton_->rodata->keep_unreported != 0) {
        empty(skeleton_->maps.unreported);
    }
}

int netfilter_object::updates_fd() const noexcept {
    return bpf_map__fd(skeleton_->maps.updates_ring);
}

int netfilter_object::ring_states_fd() const noexcept {
    return bpf_map__fd(skeleton_->maps.ring_states);
}

int netfilter_object::counters_fd() const noexcept {
    return bpf_map__fd(skeleton_->maps.counters);
}

std::vector<int> netfilter_object::program_fds() const {
    return {bpf_program__fd(skeleton_->progs.netfilter_packet)};
}

void netfilter_object::release(std::uint64_t conntrack, std::uint64_t origin) noexcept {
    const int flows = bpf_map__fd(skeleton_->maps.flows);
    ctflow_flow_state state{};
    // Between the two calls the place can change hands: the flow that has it then is found again by
    // its next packet.
    if (bpf_map_lookup_elem(flows, &conntrack, &state) == 0 &&
        ctflow_same_origin(state.origin, origin) != 0) {
        (void)bpf_map_delete_elem(flows, &conntrack);
        const auto bits = skeleton_->rodata->cooldown_bits;
        const std::atomic_ref word(cooldowns_->words()[cooldown_slot(conntrack, bits)]);
        auto value = word.load(std::memory_order_relaxed);
        if (cooldown_is_of(value, conntrack, bits)) {
            (void)word.compare_exchange_strong(value, 0, std::memory_order_relaxed);
        }
    }
}

std::uint64_t netfilter_object::release_unreported(const unreported_end& end) noexcept {
    if (skeleton_->rodata->keep_unreported == 0) {
        return 0;
    }
    ctflow_unreported_key key{};
    std::memcpy(key.src_addr, end.record.src_addr, sizeof(key.src_addr));
    std::memcpy(key.dst_addr, end.record.dst_addr, sizeof(key.dst_addr));
    key.src_port = end.record.src_port;
    key.dst_port = end.record.dst_port;
    key.zone = end.zone;
    key.proto = end.record.proto;
    key.family = end.record.family;
    const int unreported = bpf_map__fd(skeleton_->maps.unreported);
    const auto boot_to_real = skeleton_->bss->boot_to_real;
    ctflow_flow_state flow{};
    if (bpf_map_lookup_elem(unreported, &key, &flow) != 0 || !is_its(end, flow, boot_to_real) ||
        bpf_map_lookup_and_delete_elem(unreported, &key, &flow) != 0) {
        return 0;
    }
    if (!is_its(end, flow, boot_to_real)) { // Which has begun between the two calls.
        (void)bpf_map_update_elem(unreported, &key, &flow, BPF_NOEXIST);
        return 0;
    }
    return seen_birth(flow);
}

std::uint64_t netfilter_object::unreported_birth(const ctflow_unreported_key& key) const noexcept {
    ctflow_flow_state flow{};
    if (skeleton_->rodata->keep_unreported == 0 ||
        bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.unreported), &key, &flow) != 0) {
        return 0;
    }
    return seen_birth(flow);
}

} // namespace ctflow::bpf
