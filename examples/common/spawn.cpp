// SPDX-License-Identifier: Apache-2.0
#include "spawn.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace examples {

void spawn(boost::asio::io_context& context, boost::asio::awaitable<void> task) {
    boost::asio::co_spawn(context, std::move(task), [](const std::exception_ptr& failure) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    });
}

} // namespace examples
