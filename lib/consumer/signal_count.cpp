// SPDX-License-Identifier: Apache-2.0
#include "consumer/signal_count.hpp"

#include <thread>
#include <utility>

namespace ctflow::detail {
namespace {
thread_local const signal_count::one* innermost = nullptr;
}

signal_count::one::one(std::shared_ptr<signal_count> of) noexcept
    : of_(std::move(of)), outer_(std::exchange(innermost, this)) {
    ++of_->all_;
}

signal_count::one::~one() {
    innermost = outer_;
    --of_->all_;
}

void signal_count::await_others() const noexcept {
    int mine = 0;
    for (const one* each = innermost; each != nullptr; each = each->outer_) {
        mine += each->of_.get() == this ? 1 : 0;
    }
    while (all_.load() != mine) {
        std::this_thread::yield();
    }
}

} // namespace ctflow::detail
