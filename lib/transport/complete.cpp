// SPDX-License-Identifier: Apache-2.0
#include "transport/complete.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace ctflow::transport {

namespace asio = boost::asio;

void complete(const asio::any_io_executor& io, detail::run_handler handler, error_code ec) {
    const auto target = asio::get_associated_executor(handler, io);
    auto call = [handler = std::move(handler), ec]() mutable {
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
            slot.clear();
        }
        std::move(handler)(ec);
    };
    // The guard keeps the handler's context running while the call is still in ours.
    asio::post(io, [call = std::move(call), work = asio::make_work_guard(target)]() mutable {
        asio::dispatch(work.get_executor(), std::move(call));
    });
}

} // namespace ctflow::transport
