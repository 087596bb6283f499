// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/consumer_core.hpp>

#include <boost/asio/execution_context.hpp>

#include <memory>
#include <mutex>
#include <unordered_set>

namespace ctflow::detail {

// The consumers of one execution context. Shared with each of them, since a consumer's last
// reference may be the probe's, and outlive the context or end beside it on another thread.
class consumer_set {
public:
    void add(consumer_core& c);

    // Called first thing in a consumer's destruction: it is not looked at after this.
    void remove(consumer_core& c) noexcept;

    // Takes a consumer out: the receive that waits in it, if any, and the count of those who tell
    // it something. Null if there is none left.
    std::shared_ptr<signal_count> take_one(receive_waiter*& waiter) noexcept;

private:
    std::mutex mutex_;
    std::unordered_set<consumer_core*> consumers_;
};

// Does what Asio does for its own operations when the context ends: destroys those that are
// outstanding, unheard. Without it a coroutine that waits in a consumer which lives in its own
// frame would never be freed.
class consumer_service final : public boost::asio::execution_context::service {
public:
    using key_type = consumer_service;
    inline static boost::asio::execution_context::id id;

    explicit consumer_service(boost::asio::execution_context& context) : service(context) {}

    const std::shared_ptr<consumer_set>& consumers() const noexcept { return consumers_; }

private:
    void shutdown() override;

    std::shared_ptr<consumer_set> consumers_ = std::make_shared<consumer_set>();
};

} // namespace ctflow::detail
