// SPDX-License-Identifier: Apache-2.0
#include "support/emitter.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctflow_emit.skel.h>
#include <sched.h>

namespace ctflow::test {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

void emitter::deleter::operator()(ctflow_emit* s) const noexcept {
    ctflow_emit::destroy(s);
}

emitter::emitter() : skeleton_(ctflow_emit::open_and_load()) {
    if (!skeleton_) {
        fail("loading the emitter (are you root?)");
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
        fail("sched_setaffinity");
    }
}

emitter::~emitter() = default;

int emitter::map_fd() const {
    return bpf_map__fd(skeleton_->maps.events);
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
