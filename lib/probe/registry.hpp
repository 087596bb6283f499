// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/consumer_core.hpp>
#include <ctflow/error.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace ctflow::detail {

// The consumers of a probe. Any thread.
class registry {
public:
    using consumer_list = std::vector<std::shared_ptr<consumer_core>>;

    void add(const std::shared_ptr<consumer_core>& c, error_code& ec);
    void remove(std::string_view name, error_code& ec);
    void remove(const consumer_core& c, error_code& ec);
    std::shared_ptr<const consumer_core> find(std::string_view name) const;

    // Forgets those that have been closed by their owners.
    void prune();

    // Closes and forgets all.
    void close();

    // Grows with each change: who keeps a copy need not ask for it again before that.
    std::uint64_t generation() const noexcept {
        return generation_.load(std::memory_order_acquire);
    }
    consumer_list list() const;

private:
    template <class Predicate>
    void remove_if(Predicate matches, error_code& ec);
    void prune_locked();

    mutable std::mutex mutex_;
    consumer_list consumers_;
    std::atomic<std::uint64_t> generation_{0};
};

} // namespace ctflow::detail
