// SPDX-License-Identifier: Apache-2.0
#include "support/sender.hpp"

#include "support/run_once.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <bpf/libbpf.h>
#include <ctflow_send.skel.h>

namespace ctflow::test {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// As in send.bpf.c.
std::size_t length_of(std::uint64_t number) {
    return 8 + static_cast<std::size_t>(number % 128);
}

std::byte filling(std::size_t at) {
    return static_cast<std::byte>(at * 7 + 1);
}

} // namespace

void sender::deleter::operator()(ctflow_send* s) const noexcept {
    ctflow_send::destroy(s);
}

sender::sender(way w, bool can_hold) : skeleton_(ctflow_send::open()) {
    if (!skeleton_) {
        fail("opening the sender");
    }
    bpf_program__set_autoload(skeleton_->progs.hold, can_hold);
    if (ctflow_send::load(skeleton_.get()) != 0) {
        fail("loading the sender (are you root?)");
    }
    auto& data = *skeleton_->bss;
    data.through_ring = w == way::ring ? 1 : 0;
    std::array<std::byte, sizeof(data.message) - 8> rest;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        rest[i] = filling(i + 8);
    }
    std::memcpy(&data.message[1], rest.data(), rest.size());
}

sender::~sender() = default;

int sender::fd() const {
    const auto& maps = skeleton_->maps;
    return bpf_map__fd(skeleton_->bss->through_ring != 0 ? maps.ring : maps.events);
}

std::uint64_t sender::send(std::uint32_t n) {
    const auto refused = skeleton_->bss->refused;
    skeleton_->bss->wanted = n;
    run_once(bpf_program__fd(skeleton_->progs.send));
    return n - (skeleton_->bss->refused - refused);
}

void sender::hold() {
    run_once(bpf_program__fd(skeleton_->progs.hold));
}

// The program's side is in memory that both map.
void sender::let_go() {
    std::atomic_ref(skeleton_->bss->let_go) = 1;
}

bool sender::holding() const {
    return std::atomic_ref(skeleton_->bss->holding) != 0;
}

void sender::quietly(bool on) {
    skeleton_->bss->quietly = on ? 1 : 0;
}

void sender::discarded(bool on) {
    skeleton_->bss->discarded = on ? 1 : 0;
}

std::uint64_t sender::number(std::span<const std::byte> data) {
    std::uint64_t n = 0;
    if (data.size() >= sizeof(n)) {
        std::memcpy(&n, data.data(), sizeof(n));
    }
    return n;
}

bool sender::intact(std::span<const std::byte> data, std::size_t padding) {
    const auto length = length_of(number(data));
    if (data.size() < length || data.size() > length + padding) {
        return false;
    }
    for (std::size_t i = 8; i < length; ++i) {
        if (data[i] != filling(i)) {
            return false;
        }
    }
    return true;
}

} // namespace ctflow::test
