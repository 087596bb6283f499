// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace examples {

/// Starts a coroutine whose failure is that of context.run(), which throws what it has thrown.
void spawn(boost::asio::io_context& context, boost::asio::awaitable<void> task);

} // namespace examples
