// SPDX-License-Identifier: Apache-2.0
#include "support/emitter.hpp"

#include "bpf/counters.hpp"
#include "bpf/tables.hpp"
#include "support/cpus.hpp"
#include "support/run_once.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <bpf/libbpf.h>
#include <ctflow_emit.skel.h>
#include <unistd.h>

namespace ctflow::test {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

void emitter::deleter::operator()(ctflow_emit* s) const noexcept {
    ctflow_emit::destroy(s);
}

emitter::emitter(transport_kind transport, std::size_t pages, std::size_t reserve_pages)
    : transport_(transport), skeleton_(ctflow_emit::open()) {
    if (!skeleton_) {
        fail("opening the emitter");
    }
    const bool by_ring_buffer = transport == transport_kind::ring_buffer;
    const auto bytes = [](std::size_t n) {
        return static_cast<std::uint32_t>(n) * static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE));
    };
    const auto& maps = skeleton_->maps;
    skeleton_->rodata->by_ring_buffer = by_ring_buffer ? 1 : 0;
    const std::array arrays{maps.updates, maps.destroys};
    for (bpf_map* array : arrays) {
        bpf_map__set_autocreate(array, !by_ring_buffer);
    }
    for (bpf_map* ring : {maps.updates_ring, maps.destroys_ring}) {
        bpf_map__set_autocreate(ring, by_ring_buffer);
        bpf_map__set_max_entries(ring, bytes(pages));
    }
    bpf_map__set_max_entries(maps.reserve, bytes(reserve_pages));
    skeleton_->rodata->possible_cpus = bpf::size_states(maps.ring_states, 3, arrays);
    bpf_map__set_autocreate(maps.flows, false);
    bpf_map__set_autocreate(maps.cooldowns, false);
    if (ctflow_emit::load(skeleton_.get()) != 0) {
        fail("loading the emitter (are you root?)");
    }
    stay_on_cpu(0);
}

emitter::~emitter() = default;

transport::record_maps emitter::maps() const {
    const auto& maps = skeleton_->maps;
    const bool by_ring_buffer = transport_ == transport_kind::ring_buffer;
    return {bpf_map__fd(by_ring_buffer ? maps.updates_ring : maps.updates),
            bpf_map__fd(by_ring_buffer ? maps.destroys_ring : maps.destroys),
            bpf_map__fd(maps.reserve), bpf_map__fd(maps.ring_states)};
}

std::uint64_t emitter::emit(std::uint32_t n, event_kind kind) {
    const auto refused = skeleton_->bss->refused;
    skeleton_->bss->wanted = n;
    skeleton_->bss->ended = kind == event_kind::destroy ? 1 : 0;
    run_once(bpf_program__fd(skeleton_->progs.emit));
    return n - (skeleton_->bss->refused - refused);
}

void emitter::detail(bool yes) noexcept {
    skeleton_->bss->detailed = yes ? 1 : 0;
}

probe_stats emitter::stats() const {
    probe_stats s;
    bpf::read_counters(bpf_map__fd(skeleton_->maps.counters), {}, s);
    return s;
}

} // namespace ctflow::test
