// SPDX-License-Identifier: Apache-2.0
#include "event/trailer_pool.hpp"

#include <atomic>
#include <cstddef>
#include <utility>

namespace ctflow {

// Who takes blocks is one thread. It takes all that were given back at once, so that none can be at
// the top, gone, and there again while it looks.
class trailer_pool::blocks {
public:
    struct block : detail::shared_trailer {
        explicit block(blocks& pool) : home(pool) {}

        blocks& home;
        block* next = nullptr;
    };

    ~blocks() {
        for (auto* list : {ours_, given_back_.load(std::memory_order_acquire)}) {
            while (list != nullptr) {
                delete std::exchange(list, list->next);
            }
        }
    }

    block* take() {
        if (ours_ == nullptr) {
            ours_ = given_back_.exchange(nullptr, std::memory_order_acquire);
        }
        auto* const taken = ours_ != nullptr ? std::exchange(ours_, ours_->next) : new block(*this);
        users_.fetch_add(1, std::memory_order_relaxed);
        taken->give_back = give_back;
        taken->owners.store(1, std::memory_order_relaxed);
        return taken;
    }

    // The pool, and each block that is not here, keeps it.
    void leave() noexcept {
        if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete this;
        }
    }

private:
    static void give_back(detail::shared_trailer* s) noexcept {
        auto* const b = static_cast<block*>(s);
        auto& home = b->home;
        b->next = home.given_back_.load(std::memory_order_relaxed);
        while (!home.given_back_.compare_exchange_weak(b->next, b, std::memory_order_release,
                                                       std::memory_order_relaxed)) {
        }
        home.leave();
    }

    block* ours_ = nullptr;
    std::atomic<block*> given_back_{nullptr};
    std::atomic<std::size_t> users_{1};
};

trailer_pool::trailer_pool() : blocks_(new blocks) {}

void trailer_pool::leave::operator()(blocks* b) const noexcept {
    b->leave();
}

detail::trailer_ref trailer_pool::share(const ctflow_trailer& trailer) {
    auto* const b = blocks_->take();
    b->trailer = trailer;
    return detail::trailer_ref(b);
}

} // namespace ctflow
