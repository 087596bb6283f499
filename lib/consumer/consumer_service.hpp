// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctflow/detail/consumer_core.hpp>

#include <boost/asio/execution_context.hpp>

#include <mutex>
#include <unordered_set>

namespace ctflow::detail {

// Knows the consumers of an execution context, to do what Asio does for its own operations when
// the context ends: destroy those that are outstanding, unheard. Without it a coroutine that
// waits in a consumer which lives in its own frame would never be freed.
class consumer_service final : public boost::asio::execution_context::service {
public:
    using key_type = consumer_service;
    inline static boost::asio::execution_context::id id;

    explicit consumer_service(boost::asio::execution_context& context) : service(context) {}

    void add(consumer_core& c);
    void remove(consumer_core& c) noexcept;

private:
    void shutdown() override;

    std::mutex mutex_;
    std::unordered_set<consumer_core*> consumers_;
};

} // namespace ctflow::detail
