// SPDX-License-Identifier: Apache-2.0
#include "support/emitter.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctflow_emit.skel.h>
#include <sched.h>
#include <unistd.h>

namespace ctflow::test {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

void stay_on_cpu(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
        fail("sched_setaffinity");
    }
}

void emitter::deleter::operator()(ctflow_emit* s) const noexcept {
    ctflow_emit::destroy(s);
}

emitter::emitter(transport_kind transport, std::size_t pages)
    : transport_(transport), skeleton_(ctflow_emit::open()) {
    if (!skeleton_) {
        fail("opening the emitter");
    }
    const bool by_ring_buffer = transport == transport_kind::ring_buffer;
    const auto& maps = skeleton_->maps;
    skeleton_->rodata->by_ring_buffer = by_ring_buffer ? 1 : 0;
    bpf_map__set_autocreate(maps.events, !by_ring_buffer);
    const auto cpus = static_cast<std::uint32_t>(libbpf_num_possible_cpus());
    skeleton_->rodata->possible_cpus = cpus;
    bpf_map__set_max_entries(maps.events, 2 * cpus);
    bpf_map__set_max_entries(maps.ring_states, cpus + 1);
    bpf_map__set_autocreate(maps.events_ring, by_ring_buffer);
    bpf_map__set_max_entries(maps.events_ring,
                             static_cast<std::uint32_t>(pages) *
                                 static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE)));
    if (ctflow_emit::load(skeleton_.get()) != 0) {
        fail("loading the emitter (are you root?)");
    }
    stay_on_cpu(0);
}

emitter::~emitter() = default;

int emitter::map_fd() const {
    const auto& maps = skeleton_->maps;
    return bpf_map__fd(transport_ == transport_kind::ring_buffer ? maps.events_ring : maps.events);
}

int emitter::ring_states_fd() const {
    return bpf_map__fd(skeleton_->maps.ring_states);
}

std::uint64_t emitter::emit(std::uint32_t n) {
    const auto refused = skeleton_->bss->refused;
    skeleton_->bss->wanted = n;
    std::array<unsigned char, 64> packet{};
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    options.data_in = packet.data();
    options.data_size_in = packet.size();
    options.repeat = 1;
    if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.emit), &options) != 0) {
        fail("bpf_prog_test_run");
    }
    return n - (skeleton_->bss->refused - refused);
}

} // namespace ctflow::test
